"""The colours of plots can be told apart."""

from deploy.plots import colours
from deploy.plots.drawing import CARS_MAX


def brightness(colour):
    """Relative luminance (WCAG 2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_text_and_limits_stand_out_from_the_page():
    for colour in (colours.INK, colours.LIMIT, colours.NOW):
        assert (brightness(colours.PAGE) + 0.05) / (brightness(colour) + 0.05) >= 4.5


def test_cars_have_as_many_colours_as_are_named():
    assert len(set(colours.CARS)) == CARS_MAX
