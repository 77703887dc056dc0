"""Help articles as people write them: every text of a folder is found, or told at the start why it is not."""

from pathlib import Path

import pytest

from bot.help import MAX_CHARACTERS, HelpArticles


def search(folder: Path, question: str) -> list[tuple[str, str, str]]:
    """Search a folder, and give back title, section and text of what fits."""
    return [(found.title, found.section, found.text) for found in HelpArticles(folder).search(question)]


@pytest.mark.parametrize(
    ("content", "question", "found"),
    [
        ("You can return it within 30 days.\n\nAll of it.", "returning", ("Our returns", "Our returns", "You can")),
        ("Mind the zebra.\n\n# Shipping\nSix days.", "zebra", ("Shipping", "Shipping", "Mind the zebra.")),
        ("Shipping\n========\nWe ship.\n\nAbroad\n------\nSix days.", "days", ("Shipping", "Abroad", "Six days.")),
        ("\ufeff# Shipping\nSix days.", "days", ("Shipping", "Shipping", "Six days.")),
        ("# Shipping\r\n## Abroad\r\nSix days.\r\n", "days", ("Shipping", "Abroad", "Six days.")),
        ("# Shipping\r## Abroad\rSix days.", "days", ("Shipping", "Abroad", "Six days.")),
        ("# Shipping #\n#### Abroad ####\nSix days.", "days", ("Shipping", "Abroad", "Six days.")),
        ("---\ntitle: Shipping\nid: 7\n---\nSix days.", "days", ("Shipping", "Shipping", "Six days.")),
        ("# Shipping\n```\n# no heading\n```\nSix days.", "days", ("Shipping", "Shipping", "```\n# no heading")),
        ("# 返品\n## 期間\n商品は30日以内に返品できます。", "返品したいです", ("返品", "期間", "商品は")),
        ("# การคืนสินค้า\nคืนได้ภายในสามสิบวัน", "อยากคืนสินค้า", ("การคืนสินค้า", "การคืนสินค้า", "คืนได้")),
        ("# वापसी\nतीस दिन के भीतर वापसी करें।", "वापसी कैसे करें", ("वापसी", "वापसी", "तीस दिन")),
        (
            "# Rückgabe\nBis zu 30 Tage für alle Größen.",
            "groessen GRÖSSEN rückgabe",
            ("Rückgabe", "Rückgabe", "Bis zu"),
        ),
    ],
)
def test_found(tmp_path: Path, content: str, question: str, found: tuple[str, str, str]) -> None:
    """Text is found with its title and heading, however these are marked and in whatever language it is."""
    (tmp_path / "our-returns.md").write_bytes(content.encode())
    ((title, section, text),) = search(tmp_path, question)
    assert (title, section) == found[:2]
    assert text.startswith(found[2])


def test_utf_16(tmp_path: Path) -> None:
    """A file in UTF-16, as some editors save it, is read."""
    (tmp_path / "a.md").write_bytes("# Größen\nBis 46.".encode("utf-16"))
    assert search(tmp_path, "größen") == [("Größen", "Größen", "Bis 46.")]


def test_long_section(tmp_path: Path) -> None:
    """The end of a long section is found too, in a piece that is short enough."""
    (tmp_path / "a.md").write_text("# Long\n" + "Many words. " * 1_000 + "A giraffe.", "utf-8")
    ((_, _, text),) = search(tmp_path, "giraffe")
    assert text.endswith("A giraffe.")
    assert len(text) <= MAX_CHARACTERS


def test_other_encoding(tmp_path: Path) -> None:
    """A file in another encoding is named in a line, and keeps no other from being found."""
    (tmp_path / "a.md").write_bytes("# Größen\nBis 46.".encode("cp1252"))
    (tmp_path / "b.md").write_text("# Sizes\nUp to 46.", "utf-8")
    articles = HelpArticles(tmp_path)
    assert articles.faults == [
        f"The help article {tmp_path / 'a.md'} is not UTF-8; save it as UTF-8. Until then nothing is found in it."
    ]
    assert [section.title for section in articles.search("46")] == ["Sizes"]


@pytest.mark.parametrize("name", ["empty", "missing"])
def test_folder_without_articles(tmp_path: Path, name: str) -> None:
    """A folder without articles, or that is not there, is told in a line."""
    (tmp_path / "empty").mkdir()
    assert HelpArticles(tmp_path / name).faults == [
        f"The help folder {tmp_path / name} has no articles (*.md), so nothing is found in it."
    ]


def test_empty_article(tmp_path: Path) -> None:
    """An article without text is told in a line."""
    (tmp_path / "a.md").write_text("# Later\n", "utf-8")
    assert HelpArticles(tmp_path).faults == [f"The help article {tmp_path / 'a.md'} is empty."]


def test_what_is_no_article(tmp_path: Path) -> None:
    """A file of another kind beside the articles is told by name; capitals in an ending make none."""
    (tmp_path / "RETURNS.MD").write_text("# Returns\nThirty days.")
    (tmp_path / "fees.txt").write_text("Free.")
    (tmp_path / ".gitkeep").write_text("")
    articles = HelpArticles(tmp_path)
    assert [section.text for section in articles.search("days")] == ["Thirty days."]
    assert articles.faults == [f"The help folder {tmp_path} has files that are no articles (*.md): fees.txt."]
