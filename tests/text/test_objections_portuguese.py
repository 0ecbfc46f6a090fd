"""Portuguese sentences of shoppers of many trades: which class each raises, or none."""

from __future__ import annotations

import pytest

from cartwheel.text.objections import CLASSES, read_sentence

RAISED = {
    "damaged": (
        "Recebi o espelho rachado",
        "Veio com a embalagem aberta",
        "Veio com um furo na blusa",
        "A caixa veio amassada",
        "Produto com a validade vencida",
        "Veio sujo e com manchas",
        "O vidro chegou em pedaços",
        "Chegou com marcas de uso",
        "veio com a tela riscada",
        "embalagem violada",
        "o móvel veio com a lateral lascada",
        "Tela trincada",
        "a caixa já tinha sido aberta",
        "Parece que já tinha sido usado",
    ),
    "wrong_item": (
        "Faltou uma peça",
        "mandaram masculino em vez de feminino",
        "veio a marca errada",
        "paguei por 3 e recebi 2",
        "Comprei voltagem 110 e mandaram 220",
        "Não é o modelo que pedi",
        "Enviaram um produto similar de outra marca",
        "veio um pé de cada número",
        "encomendei tamanho M, mandaram GG",
        "Recebi outro produto",
        "Mandaram só o suporte, sem a tv",
        "O kit veio incompleto",
        "veio a cor que não pedi",
        "Veio faltando os parafusos",
    ),
    "shipping_cost": (
        "cobraram taxa de entrega",
        "valor do frete muito alto",
        "Por que cobram frete se dizia grátis?",
        "O frete é um absurdo",
        "Quanto fica o frete para Manaus?",
        "O frete saiu mais caro que o produto",
        "cobrou frete abusivo",
        "Quanto custa o frete?",
        "Frete mais caro que o produto",
    ),
    "shipping_time": (
        "Esperei 40 dias",
        "Até quando vou ter que esperar?",
        "Entrega atrasada",
        "O rastreio não atualiza há uma semana",
        "Já se passaram 20 dias úteis",
        "Recebi só uma parte e aguardo o resto",
        "cade o produto",
        "A entrega podia ser mais rápida",
        "não postaram o pedido",
        "a encomenda foi devolvida sem eu saber por que",
        "a encomenda sumiu",
        "Foi extraviado",
        "produto não entregue",
        "O carteiro não entrega na minha rua",
    ),
    "colour_picture": (
        "A cor é bem mais escura do que aparece na tela",
        "Na foto parece dourado mas é amarelo",
        "bem diferente do que aparece no site",
        "A foto engana muito",
        "o tom do batom é outro",
        "Esperava outra cor, na foto parecia mais claro",
        "A imagem engana, parece maior",
        "descrição do produto errada",
        "Achei que a cor era mais viva, é bem apagada",
        "Na foto é bem mais bonito",
        "produto não condiz com o anúncio",
        "a foto não mostra que é de plástico",
        "O sofá é cinza na foto e chegou quase azul",
        "Veio completamente diferente da imagem do site",
    ),
    "size_fit": (
        "O lençol não serve no meu colchão",
        "Tenho 1,60 m e 60 kg, qual tamanho?",
        "o anel ficou largo no dedo",
        "não veste bem",
        "Veste muito pequeno",
        "Tamanho bem reduzido",
        "a capa não coube no sofá",
        "Esperava que fosse maior",
        "deveria ser maior",
        "O tênis é muito pequeno, tive que dar pro meu sobrinho",
        "Cabe num vão de 60 cm?",
        "A forma do sapato é pequena",
        "Qual tamanho devo pedir se uso 42?",
        "Peçam um número maior",
    ),
    "compatibility": (
        "não encaixa no meu modelo",
        "minha tv não reconhece o pendrive",
        "serve no Gol 2012?",
        "Não conecta no meu iphone",
        "Serve para impressora HP 2774?",
        "é bivolt?",
        "A capinha não encaixa no Moto G8",
        "não aceita cartão de memória",
        "Não funciona no meu celular",
        "É compatível com o iPhone 11?",
        "O carregador não serve para meu notebook Dell",
        "Funciona em 220v?",
        "O cartucho não é reconhecido pela impressora",
        "não deu certo no meu carro",
    ),
    "missing_instructions": (
        "Não sei como montar a estante",
        "As instruções são confusas",
        "Não veio com manual de instruções",
        "o manual não explica nada",
        "Muito difícil de montar",
        "manual em chinês",
        "Não tem como saber como monta",
        "Não acompanha manual de montagem",
        "Como faço para lavar?",
        "Manual só em inglês",
        "não entendi como funciona o controle",
        "Veio sem manual",
        "faltou o manual",
        "Os furos não têm indicação e a montagem é complicada",
    ),
    "quality_doubt": (
        "a resistência queimou na segunda semana",
        "deu alergia",
        "bem inferior ao que eu esperava",
        "Não é o produto original da marca",
        "as pilhas duram pouco",
        "Acabamento ruim, cheio de rebarbas",
        "o relógio parou",
        "A tinta descascou",
        "A lâmpada queimou",
        "o som é muito ruim",
        "Material fraco",
        "O fone só toca de um lado",
        "A mochila rasgou",
        "parece brinquedo de tão frágil",
    ),
    "price": (
        "valor muito elevado",
        "Dinheiro jogado fora",
        "Achei caro",
        "O preço está muito alto",
        "Em outras lojas está bem mais barato",
        "não vale 50 reais",
        "Encontrei mais barato em outra loja",
        "não vale o dinheiro",
        "Caro demais pelo que oferece",
        "na concorrência sai pela metade do preço",
        "preço abusivo",
        "Acho que o preço poderia ser menor",
        "não compensa",
        "paguei 100 reais e agora está por 60",
    ),
    "service": (
        "falta de compromisso com o consumidor",
        "Como faço para trocar?",
        "a loja só sabe mandar mensagem automática",
        "sem nenhum suporte",
        "não aceitam troca",
        "A empresa é irresponsável",
        "a baratheon não se responsabiliza pelos parceiros",
        "Já mandei vários e-mails e nada",
        "quero que o produto seja trocado",
        "Vendedor mentiroso",
        "Quero trocar por outro modelo",
        "Vendem produto que não têm em estoque",
        "Recusaram a devolução",
        "a loja não se manifestou",
    ),
    "missing_information": (
        "Quantos litros?",
        "Tem na cor preta?",
        "é inox?",
        "O preço é da unidade ou do par?",
        "Qual o peso?",
        "Acompanha controle remoto?",
        "Quantas peças vêm no kit?",
        "faz muito barulho?",
        "É de couro legítimo ou sintético?",
        "Qual o comprimento do cabo?",
        "A caixa acompanha?",
        "Qual a data de validade?",
        "tem outras cores?",
        "Quais as dimensões?",
    ),
}

SILENT = (
    "Não desapontou",
    "Uso na minha casa há 6 meses e está perfeito",
    "Comprei um para mim e outro para minha mãe",
    "Não vejo a hora de usar",
    "Achei barato pela qualidade",
    "Super rápido, em dois dias estava em casa",
    "Simples e bonito",
    "Entrega perfeita, chegou antes do combinado",
    "Chegou hoje",
    "Vendedor respondeu rápido",
    "Ótimo custo benefício, vale a pena",
    "Loja de confiança",
    "Uso todos os dias e recomendo",
    "Estou muito satisfeito com a compra",
    "Fiquei muito decepcionada",
    "O sabor é delicioso e não é amargo",
    "Cor igual à da foto, lindo",
    "O tamanho ficou perfeito",
    "Apesar do preço baixo, é muito bom",
    "O preço estava ótimo",
    "Valeu a pena esperar",
    "Fácil de limpar e não esquenta",
    "Não desbota e não encolhe",
    "Recebi tudo direitinho, sem faltar nada",
    "A máquina lava bem e não faz barulho",
    "Veio com garantia de um ano",
    "Comprei três e vieram os três certinhos",
    "O vendedor respondeu todas as dúvidas",
    "Loja séria e honesta",
    "Sem defeitos",
    "Troquei o meu antigo por este e adorei",
    "Veio com tudo que mostra na foto",
    "Fácil montagem",
    "Vou comprar outro",
    "Muito bem embalado",
    "Recebi a nota fiscal por e-mail",
    "O produto é muito resistente, não quebra fácil",
    "Comprei para meu marido e ele gostou, serviu certinho",
    "Muito bom, vale cada centavo",
    "Comprei outro igual porque gostei",
    "Comprei pela segunda vez",
    "Não tive nenhum problema com a entrega",
    "Não ficou apertado, serviu certinho",
    "Serve para o que eu preciso",
    "Minha mãe adorou o presente",
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
