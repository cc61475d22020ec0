"""Logos: which images a document may carry."""

from typing import Literal

PIXELS_MAX = 2_000
"""Of a logo's width and of its height: a small file may unfold to gigabytes."""
_SIGNATURES: dict[bytes, Literal["png", "jpeg"]] = {
    b"\x89PNG\r\n\x1a\n": "png",
    b"\xff\xd8\xff": "jpeg",
}
_SEGMENTS_MAX = 1_000
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""The markers of a JPEG that say how large it is."""


def image_format(image: bytes) -> Literal["png", "jpeg"]:
    """PNG or JPEG by the first bytes; ValueError for all else, and for SVG, which can hold code."""
    for signature, name in _SIGNATURES.items():
        if image.startswith(signature):
            return name
    raise ValueError("a logo is a PNG or a JPEG image")


def check_pixels(image: bytes) -> None:
    """ValueError for an image that is larger than a logo may be, or has no size."""
    width, height = _png_size(image) if image_format(image) == "png" else _jpeg_size(image)
    if not (0 < width <= PIXELS_MAX and 0 < height <= PIXELS_MAX):
        raise ValueError(f"a logo has at most {PIXELS_MAX} × {PIXELS_MAX} pixels")


def _png_size(image: bytes) -> tuple[int, int]:
    return int.from_bytes(image[16:20]), int.from_bytes(image[20:24])


def _jpeg_size(image: bytes) -> tuple[int, int]:
    at = 2
    for _ in range(_SEGMENTS_MAX):
        marker, length = image[at + 1 : at + 2], int.from_bytes(image[at + 2 : at + 4])
        if image[at : at + 1] != b"\xff" or not marker or length < 2:
            break
        if marker[0] in _FRAMES:
            return int.from_bytes(image[at + 7 : at + 9]), int.from_bytes(image[at + 5 : at + 7])
        at += 2 + length
    return 0, 0
