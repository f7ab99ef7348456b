"""The encoding of tags is guessed from the texts of a folder, and each text is decoded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirpipe.library.tag_encodings import codec_name, decode_text, guess_encoding

TITLES = {
    "gb18030": ["周杰伦", "青花瓷", "七里香", "菊花台", "我很忙"],
    "big5hkscs": ["周杰倫", "青花瓷", "鄧麗君", "月亮代表我的心", "國語流行"],
    "cp932": ["宇多田ヒカル", "椎名林檎", "歌舞伎町の女王", "上を向いて歩こう", "坂本九"],
    "cp949": ["아이유", "좋은 날", "서태지와 아이들", "난 알아요", "이문세"],
    "cp1251": ["Кино", "Группа крови", "Пачка сигарет", "Алла Пугачёва", "ДДТ"],
    "cp1252": ["Björk", "Mötley Crüe", "Sigur Rós", "Édith Piaf", "Süßer die Glocken"],
    "utf-8": ["周杰伦", "Группа крови", "Björk"],
}
WESTERN = [
    *(["MÖTÖRHEAD"], ["© 1999"], ["Grüße aus Köln"], ["L'année créée"], ["Hääyö"]),
    *(["It’s a Sin", "Symphony No. 5 – Allegro"], ["Øllebrød"], ["João Gilberto", "Desafinado"]),
]


@pytest.mark.parametrize("count", [3, 4, 5])
@pytest.mark.parametrize("encoding", TITLES)
def test_the_encoding_of_a_folder_is_recognised(encoding: str, count: int) -> None:
    """Public report: navidrome#3243, owncloud music#1146."""
    titles = TITLES[encoding][:count]
    guess = guess_encoding([title.encode(encoding) for title in titles])
    decoded = [decode_text(title.encode(encoding), guess) for title in titles]
    assert decoded == titles
    assert encoding in (guess, "utf-8")


@pytest.mark.parametrize("titles", WESTERN)
def test_western_titles_stay_western(titles: list[str]) -> None:
    assert guess_encoding([title.encode("cp1252") for title in titles]) == "cp1252"


@given(st.permutations(TITLES["gb18030"]), st.lists(st.sampled_from(TITLES["gb18030"])))
def test_order_and_repetition_do_not_change_the_guess(order: list[str], more: list[str]) -> None:
    assert guess_encoding([title.encode("gbk") for title in [*order, *more]]) == "gb18030"


def test_texts_in_utf8_do_not_change_the_guess_for_the_others() -> None:
    texts = [title.encode("gbk") for title in TITLES["gb18030"]]
    assert guess_encoding([*texts, "月亮代表我的心".encode()]) == "gb18030"
    assert decode_text("月亮代表我的心".encode(), "gb18030") == "月亮代表我的心"


def test_some_western_titles_do_not_change_the_guess_for_the_others() -> None:
    texts = [title.encode("gbk") for title in TITLES["gb18030"]]
    assert guess_encoding([*texts, "Café".encode("cp1252")]) == "gb18030"


def test_a_text_that_is_not_valid_in_the_encoding_is_western() -> None:
    assert decode_text("Café".encode("cp1252"), "gb18030") == "Café"
    assert decode_text(b"\x81\xff", "cp1252") == "\x81ÿ"


def test_a_character_that_id3v1_has_cut_is_left_out() -> None:
    cut = "月亮代表我的心，邓丽君演唱会实况".encode("gbk")[:29]
    assert decode_text(b"x" + cut, "gb18030") == "x月亮代表我的心，邓丽君演唱会"
    assert guess_encoding([b"x" + cut, *(t.encode("gbk") for t in TITLES["gb18030"])]) == "gb18030"


@given(st.binary(max_size=40), st.sampled_from(list(TITLES)))
def test_every_text_can_be_decoded_in_every_encoding(text: bytes, encoding: str) -> None:
    assert isinstance(decode_text(text, encoding), str)
    assert guess_encoding([text]) in TITLES


@pytest.mark.parametrize("name", ["utf-16", "punycode", "rot13", "hex", "klingon"])
def test_an_encoding_without_ascii_is_refused(name: str) -> None:
    with pytest.raises(LookupError):
        codec_name(name)
