"""The language of a text, by frequent words, scripts and letters."""

from __future__ import annotations

import re
from collections import Counter

_MARKS = {
    "es": "el los las del una que por para es respuesta tenemos entonces solución soluciones luego todo "
    "todos toda todas sí números número cada cuando donde entero enteros primos impares existe "
    "posible de en con se no su sus lo más esta este estos hay tiene tienen puede pueden siempre "
    "única único únicas únicos ecuación función funciones conjunto ecuaciones primer jugador gana "
    "jugadores mayor menor valores pares ninguno ninguna existen obtiene sólo si exactamente problema "
    "puntos lados mide vale nunca solo cumple la cuesta menos entre pero ser debe deben pagará",
    "fr": "le la l'aire l'équation l'ensemble l'unique c'est n'est n'existe n'a les des du est et une un "
    "réponse pour nous donc alors oui il tout tous toute toutes nombre nombres qui dans sont ou pas "
    "entier entiers premiers impair où vaut aucune infinité de en on au aux ce cette ces se sa son "
    "avec par sur elle plus seul seule seuls seules deux trois obtient donne fonction fonctions "
    "équation valeur valeurs toujours possible existe exactement premier première joueur gagne "
    "solutions non couples ensemble cela coûte moins entre mais",
    "de": "der das ist und eine ein einen antwort für wir ja nein es gibt lösung lösungen alle nicht sind "
    "mit einer dem wenn genau gilt jede keine kein gerade ungerade somit daher ergebnis lautet oder "
    "zahlen primzahlen unendlich insgesamt die des im zu sich man auf von bei als auch nur sie kann "
    "hat haben werden wird beträgt ergibt also erhält gleichung funktion funktionen werte wert "
    "spieler gewinnt möglich immer gesuchte gesuchten größte kleinste damit folglich arten "
    "verschiedene sowie beide zwei anzahl muss zahl kostet aber zwischen weniger er mindestens braucht "
    "stunden zahlt",
    "pt": "da que por uma um para é são resposta temos então não há solução soluções logo todo todos toda "
    "somente apenas satisfaz condição mede graus ângulo todas sim números número portanto existe "
    "existem qualquer assim inteiro primos ímpar ímpares ou de em com se no na nos nas ao seu sua as "
    "mais este esta isso pode podem ser têm tem único única únicos únicas equação função funções "
    "conjunto jogador vence sempre valores maior menor exatamente pares pelo pela quem vale só nunca "
    "soma resultado foi foram custou reais viagem custa menos mas",
    "it": "tranne il gli della del che una un risposta è abbiamo quindi allora sì tutti tutte numeri numero "
    "tale non esiste esistono soluzione soluzioni sono dunque ogni di oppure infiniti pari dispari "
    "pertanto in con si lo la le alla nel nella dei delle degli sua suo più può possono essere hanno "
    "unico unica unici uniche equazione funzione funzioni insieme giocatore vince sempre valore "
    "valori maggiore minore soltanto esattamente coppie soli sole tutto possibile questo questa no se "
    "mentre vale misura l'area l'unica l'unico l'equazione l'insieme risultato massimo per costa meno "
    "entro ma però",
    "ro": "și este sunt răspuns răspunsul pentru avem deci da există soluții soluția orice din prin urmare "
    "sau numere numerele impar ecuația așadar numărul egală toate de la în cu se nu cel cea cele mai "
    "lui ale poate pot fi are au unic unica singura singurul singurele funcția funcțiile mulțimea "
    "jucător câștigă întotdeauna valoarea valorile exact perechile perechi acest această aceasta "
    "trebuie obținem obține doar numărului rezultatul un exemplu ecuației expresiei costă dar",
    "pl": "jest odpowiedź dla mamy więc nie tak liczb liczba liczby liczbą rozwiązanie rozwiązań się "
    "wszystkie zatem odpowiedzią lub oraz istnieje stąd ostatecznie wynosi parzyste każdej wiele "
    "jeśli wynik na są mają może można to dokładnie jedyne jedyną jedynym jedynymi funkcja funkcje "
    "funkcją równanie równania zbiór gracz wygrywa zawsze wartość wartości największa najmniejsza "
    "najmniejszą największą parzystych nieparzystych tylko wszystkich takie takich tej przez pary "
    "liczbami",
    "tr": "ve bir cevap yanıt için olur evet hayır çözüm çözümü tüm sonuç olarak göre sayıdır sayı değer "
    "mümkündür veya nihai dolayısıyla buna yoktur vardır ise cevabı bu en ile da de her tam tek çift "
    "ancak şekilde sayısı sayılar sayıların değeri değerleri olan oyuncu kazanır denklemin çözümleri "
    "fonksiyon fonksiyonlar küçük büyük böylece toplam farklı koşulu bulunur mümkün değildir yalnızca "
    "sayının",
    "vi": "là và đáp án trả lời với mọi vậy nghiệm có không phương trình của các được cho thì nếu hoặc khi "
    "câu bằng vô số một hai những trong đó này tất cả duy nhất hàm giá trị lớn nhỏ cần tìm thỏa mãn "
    "luôn người chơi thắng tồn tại cặp tổng chỉ nên do kết quả",
    "en": "the is of and we that are this for so therefore answer hence final if then yes it with be by all "
    "numbers number prime not integer integers real positive solution zero where only in to on as an "
    "at any from which has have such there no can other than both also each when per do does possible "
    "solutions case cases its their but because since us use comment idea doubt know import true "
    "false none total exact plus problem least most more less fewer infinitely many he she they you "
    "let find given order pair pairs die man hat been was were what how sale premier pot data text "
    "into over under between exists exist always function functions set value values first second "
    "player wins win",
}
"""Words that are frequent in a language, by which it is recognized."""
_MARKED = {name: frozenset(words.split()) for name, words in _MARKS.items()}
_LANGUAGES_OF = {
    word: [name for name, words in _MARKED.items() if word in words]
    for word in frozenset[str]().union(*_MARKED.values())
}
_SCRIPTS = {
    "ja": re.compile("[\u3041-\u30fe]{2,}|[\u3041-\u30fe]"),
    "zh": re.compile("[\u4e00-\u9fff]+"),
    "ru": re.compile("[\u0400-\u04ff]+"),
}
_ANY_SCRIPT = re.compile("[\u3041-\u30fe\u4e00-\u9fff\u0400-\u04ff]")
_LETTERS = {
    name: re.compile(f"[{letters}]")
    for name, letters in {
        "tr": "ığşİ",
        "ro": "ășțţ",
        "pl": "łąęśżźćń",
        "pt": "ãõ",
        "de": "ß",
        "es": "ñ¿¡",
        "vi": "đơưạảấầẩẫậắằẳẵặẹẻẽếềểễệịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ",
    }.items()
}
"""Letters that one of these languages has alone, in lower case."""
_SAMPLE_CHARS = 800
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_NO_WORD = r"\$(?:(?!\\text|\\m)[^$])*\$|//\S+|\\[a-z]+|[a-z]+(?=[\^_=(])"
_ASCII_WORD = re.compile(rf"{_NO_WORD}|([a-z]+(?:'[a-z]+)?)")
_ANY_WORD = re.compile(rf"{_NO_WORD}|({WORD.pattern})")
"""A formula without words, a command, or a word as the group."""


def detect(text: str) -> str | None:
    """The language of the end of a text, "es" for Spanish; None where it is English, or cannot be told."""
    return next(iter(candidates(text)), None)


def candidates(text: str) -> list[str]:
    """The languages that a text may be in: one, or several that cannot be told apart."""
    sample = text[-_SAMPLE_CHARS:].lower()
    words = (_ASCII_WORD if sample.isascii() else _ANY_WORD).findall(sample)
    counts: dict[str, int] = {}
    for word, number in Counter(filter(_LANGUAGES_OF.__contains__, words)).items():
        for name in _LANGUAGES_OF[word]:
            counts[name] = counts.get(name, 0) + number
    if not sample.isascii():
        for name, letters in _LETTERS.items():
            counts[name] = counts.get(name, 0) + len(letters.findall(sample))
    if _ANY_SCRIPT.search(sample):
        counts |= {name: len(script.findall(sample)) for name, script in _SCRIPTS.items()}
        counts["zh"] = 0 if counts["ja"] else counts["zh"]
    most = max(counts.values(), default=0)
    return [name for name, count in counts.items() if count == most > counts.get("en", 0)]
