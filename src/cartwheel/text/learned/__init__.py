"""Classes of texts learned from labelled ones: TF-IDF and linear models, offline."""
