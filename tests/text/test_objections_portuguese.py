"""Portuguese sentences of shoppers of many trades: which class each raises, or none."""

from __future__ import annotations

import pytest

from cartwheel.text.objections import CLASSES, read_sentence

RAISED = {
    "damaged": (
        "A geladeira tem um amassado na lateral",
        "A embalagem estava toda destruída",
        "O vidro chegou em pedaços",
        "vidro estilhaçado",
        "Chegou com marcas de uso",
        "produto chegou sujo",
        "Veio sujo e com manchas",
        "O livro veio com a capa amassada",
        "O shampoo vazou na caixa",
        "produto sem lacre",
        "Tela trincada",
        "O chocolate chegou derretido",
    ),
    "wrong_item": (
        "Comprei dois e só veio um",
        "Comprei preta, veio marrom",
        "Comprei a caixa com 12 e recebi 10",
        "Recebi o produto trocado",
        "Recebi um produto que não comprei",
        "pedi uma coisa e veio outra",
        "a marca do produto não é a que comprei",
        "Mandaram um produto totalmente diferente do comprado",
        "Produto enviado errado",
        "Veio o modelo antigo e não o anunciado",
        "mandaram bege ao invés de branco",
        "paguei por 3 e recebi 2",
    ),
    "shipping_cost": (
        "Por que cobram frete se dizia grátis?",
        "Frete mais caro que o produto",
        "cobrou frete abusivo",
        "valor do frete muito alto",
        "Quanto custa o frete?",
        "cobraram taxa de entrega",
        "Quanto fica o frete para Manaus?",
        "O frete saiu mais caro que o produto",
        "O frete é um absurdo",
    ),
    "shipping_time": (
        "Ainda não chegou",
        "O carteiro não entrega na minha rua",
        "ainda não veio",
        "Está escrito que foi entregue porém não está comigo",
        "ainda aguardo o produto",
        "não postaram o pedido",
        "Comprei dia 10 e já estamos no dia 30 e nada da mercadoria",
        "Vocês entregam até sexta?",
        "nunca recebi",
        "deixou muito a desejar na entrega",
        "Está parado nos correios há 10 dias",
        "entregaram fora do prazo",
    ),
    "colour_picture": (
        "A descrição diz que é de vidro e na verdade é de acrílico",
        "Veio completamente diferente da imagem do site",
        "o produto que recebi nao é como o anunciado",
        "Não é igual à foto",
        "bem diferente do que aparece no site",
        "não é o que aparece na foto",
        "O sofá é cinza na foto e chegou quase azul",
        "A imagem do site é bem diferente do produto real",
        "A cor é bem mais escura do que aparece na tela",
        "O produto não é como no anúncio",
        "Anunciam uma coisa e é outra",
        "o tom do batom é outro",
    ),
    "size_fit": (
        "achei curto",
        "a mochila é bem pequena",
        "Serve em colchão de casal?",
        "tamanho não corresponde à tabela",
        "as alças são longas demais",
        "A forma do sapato é pequena",
        "ficou curto nas pernas",
        "é bem menor que o esperado",
        "Qual tamanho devo pedir se uso 42?",
        "Peçam um número maior",
        "as mangas são curtas demais",
        "ficou pequeno em mim",
    ),
    "compatibility": (
        "O carregador não serve para meu notebook Dell",
        "Não funciona no meu celular",
        "O cartucho não é reconhecido pela impressora",
        "a peça não encaixou na minha lavadora Brastemp",
        "é bivolt?",
        "minha tv não reconhece o pendrive",
        "Serve para impressora HP 2774?",
        "Funciona em 220v?",
        "não deu certo no meu carro",
        "A película não é do modelo do meu aparelho",
        "não encaixa no meu modelo",
        "É compatível com o iPhone 11?",
    ),
    "missing_instructions": (
        "Manual só em inglês",
        "não sei usar",
        "manual em chinês",
        "não sei ligar o aparelho",
        "preciso do manual de instruções em português",
        "Como se instala?",
        "Onde acho o manual?",
        "Não consegui configurar o relógio",
        "Pode ir na máquina de lavar?",
        "Como faço para lavar?",
        "Como carrega?",
        "As instruções são confusas",
    ),
    "quality_doubt": (
        "A sola descolou com um mês",
        "Ficou enferrujado em poucos dias",
        "Parou de funcionar em uma semana",
        "O tecido desbotou na primeira lavagem",
        "O zíper quebrou no segundo dia",
        "a impressão está borrada",
        "a carne tinha gosto estranho",
        "Produto de péssima qualidade",
        "Não funciona direito",
        "Produto falsificado",
        "Perfume fraco, some em meia hora",
        "muito duro e desconfortável",
        "Vive travando",
        "muito barulhento",
        "qualidade péssima, não comprem",
        "O relógio não funciona",
    ),
    "price": (
        "não compensa",
        "preço abusivo",
        "tem mais barato",
        "paguei 100 reais e agora está por 60",
        "Paguei caro por isso",
        "Acho que o preço poderia ser menor",
        "na concorrência sai pela metade do preço",
        "Em outras lojas está bem mais barato",
        "não vale a pena pelo preço",
        "valor muito elevado",
        "achei o valor alto",
        "Achei caro",
    ),
    "service": (
        "Até hoje não devolveram meu dinheiro",
        "Estão me enrolando",
        "me ligaram dizendo que não tinha",
        "Quero meu dinheiro de volta",
        "Ninguém responde",
        "Não honraram a compra",
        "Pedido cancelado sem motivo",
        "cobraram valor a mais no cartão",
        "Péssima qualidade no atendimento",
        "Tive que abrir reclamação",
        "mandei email e ninguem respondeu",
        "Não emitem nota",
    ),
    "missing_information": (
        "Tem na cor preta?",
        "Qual a altura da mesa?",
        "Quantos litros?",
        "é à prova d'água?",
        "É de couro legítimo ou sintético?",
        "Quais as dimensões?",
        "é inox?",
        "Qual o comprimento do cabo?",
        "Acompanha controle remoto?",
        "faz muito barulho?",
        "Qual o peso?",
        "Contém glúten?",
    ),
}

SILENT = (
    "Fácil montagem",
    "Tenho 1,70 e comprei o M",
    "Serve para o que eu preciso",
    "O sabor é delicioso e não é amargo",
    "Tudo certo com o pedido",
    "Fiquei muito decepcionada",
    "Uso todos os dias e recomendo",
    "Comprei para meu marido e ele gostou, serviu certinho",
    "Veio com manual em português e foi fácil instalar",
    "Simples e bonito",
    "É a segunda vez que compro, produto de primeira",
    "Chegou hoje",
    "Nunca tive problema com essa loja",
    "Vem com cabo e carregador",
    "Recebi tudo que comprei",
    "Preço justo",
    "Serviu direitinho no meu carro",
    "O produto é muito resistente, não quebra fácil",
    "Recebi o produto hoje",
    "A bateria dura o dia todo",
    "Uso para guardar as roupas do bebê",
    "o motor é silencioso",
    "Lindo demais",
    "Bom, só não dou cinco estrelas porque ainda não testei",
    "Cama grande e confortável",
    "Muito fácil de usar",
    "Sempre compro aqui e nunca atrasou",
    "Vendedor respondeu rápido",
    "Super rápido, em dois dias estava em casa",
    "Já é a terceira vez que compro",
    "Comprei três e vieram os três certinhos",
    "Não precisei do manual",
    "Apesar do preço baixo, é muito bom",
    "Chegou na data prevista",
    "Estou muito satisfeito com a compra",
    "A cor é linda, mais bonita que na foto",
)

BOTH = (
    ("Não recebi o produto e ninguém me dá uma resposta", ("shipping_time", "service")),
    ("Não entregaram e não devolveram meu dinheiro", ("shipping_time", "service")),
    ("Veio o modelo errado e quebrado", ("damaged", "wrong_item")),
    ("Demorou e o frete foi caríssimo", ("shipping_cost", "shipping_time")),
)


@pytest.mark.parametrize(
    ("sentence", "objection"),
    [(sentence, name) for name, said in RAISED.items() for sentence in said],
)
def test_a_sentence_raises_its_class_alone(sentence: str, objection: str) -> None:
    assert read_sentence(sentence, ["pt"]).objections == (objection,)


def test_every_class_has_sentences() -> None:
    assert set(RAISED) == set(CLASSES)


@pytest.mark.parametrize("sentence", SILENT)
def test_praise_and_facts_raise_none(sentence: str) -> None:
    assert read_sentence(sentence, ["pt"]).objections == ()


@pytest.mark.parametrize(("sentence", "objections"), BOTH)
def test_two_classes_are_both_told(sentence: str, objections: tuple[str, str]) -> None:
    assert set(read_sentence(sentence, ["pt"]).objections) == set(objections)


# Frames in which the words of a class say nothing of it.
@pytest.mark.parametrize(
    ("complaint", "frame"),
    [
        ("Veio quebrado", "Não veio quebrado"),
        ("Ficou apertado", "Não ficou apertado"),
        ("O tecido é transparente", "O tecido não é transparente"),
        ("Achei caro", "Não achei caro"),
        ("Atrasou muito", "Nunca atrasou"),
        ("Chegou com arranhões", "Chegou sem arranhões"),
        ("Não é igual à foto", "É igual à foto"),
        ("Muito difícil de montar", "Não é difícil de montar"),
        ("Comprei dois e veio um", "Comprei dois e vieram bem embalados"),
        ("O aparelho quebrou", "Quebrou o galho"),
    ],
)
def test_what_is_denied_is_no_objection(complaint: str, frame: str) -> None:
    assert read_sentence(complaint, ["pt"]).objections
    assert read_sentence(frame, ["pt"]).objections == ()


@pytest.mark.parametrize(
    ("sentence", "mood"),
    [
        ("Nunca tive problemas com essa loja", 1),
        ("Chegou sem nenhum problema, recomendo", 1),
        ("Rasgou na primeira semana", -1),
        ("Estou frustrada com a compra", -1),
        ("Qual a altura da mesa?", 0),
    ],
)
def test_moods(sentence: str, mood: int) -> None:
    assert read_sentence(sentence, ["pt"]).mood == mood
