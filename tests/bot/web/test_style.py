"""The style sheet: what is written can be read, in light and dark (WCAG 2.2 AA)."""

import re

import pytest

from bot.web.rendering import HERE, STYLE

CSS = STYLE.decode()
LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+): #([0-9a-f]{3,6});", block))
    for block in re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
)
TEXT = [
    *((ink, ground) for ink in ("ink", "soft", "link") for ground in ("ground", "card", "calm-soft")),
    *((tone, f"{tone}-soft") for tone in ("good", "warn", "bad", "calm", "info")),
]
SHAPES = [(shape, "card") for shape in ("good-fill", "warn-fill", "bad-fill", "calm", "accent")]


def brightness(colour):
    whole = colour if len(colour) == 6 else "".join(2 * digit for digit in colour)
    parts = [int(whole[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    dark, bright = sorted((brightness(one), brightness(other)))
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("least", "pairs"), [(4.5, TEXT), (3.0, SHAPES)], ids=["text", "shapes"])
def test_colours_stand_out(theme, least, pairs):
    faint = {
        pair: round(found, 2)
        for pair in pairs
        if (found := contrast(*(theme[name] for name in pair))) < least
    }
    assert not faint


def test_both_themes_know_every_colour():
    assert set(DARK) == set(LIGHT)


def test_every_class_a_page_uses_has_a_style():
    pages = "".join(path.read_text() for path in (HERE / "templates").glob("*.html"))
    plain = re.sub(r"\{[{%].*?[%}]\}", " ", pages)
    used = {name for names in re.findall(r'class="([^"]*)"', plain) for name in names.split()}
    assert {name for name in used if f".{name}" not in CSS} == set()
