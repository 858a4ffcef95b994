"""Two pictures of a page: where they differ, and one picture that shows it."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from hotfolder.comparing.findings import MOST_LISTED, PictureFinding, Region

_WHITE = (255, 255, 255)
_CELL = 12  # pixels: what lies closer together is one region
_WIDEST, _HIGHEST = 1000, 1500  # pixels of a page in a shown pair
_MARGIN, _HEAD, _FOOT = 40, 64, 44  # numbers of regions stand in the margin
_GROUND, _INK, _FAINT, _EDGE = (236, 238, 241), (28, 32, 38), (96, 104, 114), (170, 176, 184)
_MARK, _WASH = (208, 0, 48), (255, 232, 110)
_TAG = 18  # pixels: the height of a region's number
Box = tuple[int, int, int, int]


def compare_pictures(
    before: Image.Image,
    after: Image.Image,
    *,
    dpi: float,
    tolerance: int,
    shift: int = 0,
    ignored: Sequence[Region] = (),
) -> PictureFinding:
    """Where two RGB pictures in ``dpi`` differ; see ``Rules``. The same whichever is first.

    The smaller one is laid on white, at the upper left corner of the larger.
    """
    before, after = same_size(before, after)
    steps = _steps(before, after, shift)
    if ignored:
        draw = ImageDraw.Draw(steps)
        for region in ignored:
            draw.rectangle(_pixels_of(region, dpi), fill=0)
    greatest = int(steps.getextrema()[1])  # type: ignore[arg-type]  # one band: two numbers
    if greatest <= tolerance:
        return PictureFinding(greatest=greatest)
    mask = steps.point([255 if step > tolerance else 0 for step in range(256)])
    return PictureFinding(
        pixels=mask.histogram()[255],
        greatest=greatest,
        regions=tuple(
            Region(*(round(edge * 72 / dpi, 1) for edge in (x, y, right - x, bottom - y)))
            for x, y, right, bottom in _boxes(mask)[:MOST_LISTED]
        ),
    )


def same_size(before: Image.Image, after: Image.Image) -> tuple[Image.Image, Image.Image]:
    """Both on white of the size that holds either."""
    size = max(before.width, after.width), max(before.height, after.height)
    return _on_white(before, size), _on_white(after, size)


def _on_white(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    if picture.size == size:
        return picture
    ground = Image.new("RGB", size, _WHITE)
    ground.paste(picture, (0, 0))
    return ground


def _steps(before: Image.Image, after: Image.Image, shift: int) -> Image.Image:
    """For every pixel the largest step of a colour, in one band."""
    if not shift:
        found = ImageChops.difference(before, after)
    else:
        found = ImageChops.lighter(
            _beyond(before, after, 2 * shift + 1), _beyond(after, before, 2 * shift + 1)
        )
    red, green, blue = found.split()
    return ImageChops.lighter(ImageChops.lighter(red, green), blue)


def _beyond(picture: Image.Image, other: Image.Image, reach: int) -> Image.Image:
    """How far each colour lies outside of what the other picture has around that place."""
    upper = other.filter(ImageFilter.MaxFilter(reach))
    lower = other.filter(ImageFilter.MinFilter(reach))
    return ImageChops.lighter(
        ImageChops.subtract(picture, upper), ImageChops.subtract(lower, picture)
    )


def _boxes(mask: Image.Image) -> list[Box]:
    """Boxes around what is white in ``mask``, from the top; what lies close is in one."""
    columns, rows = -(-mask.width // _CELL), -(-mask.height // _CELL)
    whole = Image.new("L", (columns * _CELL, rows * _CELL))
    whole.paste(mask, (0, 0))
    # One white pixel of 144 averages to 1.8: no cell that has any is 0.
    coarse = whole.reduce(_CELL).tobytes()
    left = {place for place, value in enumerate(coarse) if value}
    found: list[Box] = []
    while left:
        cells = _connected(left.pop(), left, columns)
        xs, ys = [cell % columns for cell in cells], [cell // columns for cell in cells]
        box = (
            min(xs) * _CELL,
            min(ys) * _CELL,
            min((max(xs) + 1) * _CELL, mask.width),
            min((max(ys) + 1) * _CELL, mask.height),
        )
        inner = mask.crop(box).getbbox()
        if inner is not None:
            x, y = box[:2]
            found.append((x + inner[0], y + inner[1], x + inner[2], y + inner[3]))
    return sorted(found, key=lambda box: (box[1], box[0]))


def _connected(first: int, left: set[int], columns: int) -> list[int]:
    """The cells that hang together with ``first``; they are taken out of ``left``."""
    cells, waiting = [first], [first]
    while waiting:
        cell = waiting.pop()
        for down in (-columns, 0, columns):
            for across in (-1, 0, 1):
                other = cell + down + across
                if abs(other % columns - cell % columns) <= 1 and other in left:
                    left.remove(other)
                    cells.append(other)
                    waiting.append(other)
    return cells


def _pixels_of(region: Region, dpi: float) -> Box:
    scale = dpi / 72
    return (
        int(region.left * scale),
        int(region.top * scale),
        int((region.left + region.width) * scale),
        int((region.top + region.height) * scale),
    )


def draw_pair(
    before: Image.Image | None,
    after: Image.Image | None,
    regions: Sequence[Region],
    *,
    dpi: float,
    titles: tuple[str, str],
    foot: str,
) -> bytes:
    """Both pages side by side with the differing regions marked, as PNG.

    A side without the page is empty and says so.
    """
    size = _panel_size(before, after)
    panel = size[0] + _MARGIN
    sheet = Image.new("RGB", (2 * panel + _MARGIN, size[1] + _HEAD + _FOOT), _GROUND)
    draw = ImageDraw.Draw(sheet)
    for place, (picture, title) in enumerate(zip((before, after), titles, strict=True)):
        left = _MARGIN + place * panel
        draw.text((left, 20), _fitting(title, size[0], 20), _INK, font=_font(20))
        frame = (left - 1, _HEAD - 1, left + size[0], _HEAD + size[1])
        if picture is None:
            draw.rectangle(frame, outline=_EDGE)
            draw.text((left + 24, _HEAD + 24), "no such page", _FAINT, font=_font(20))
            continue
        shown, boxes = _marked(picture, regions, dpi)
        draw.rectangle(frame, outline=_EDGE)
        sheet.paste(shown, (left, _HEAD))
        _number(draw, boxes, left - 2)
    line = _fitting(foot, 2 * size[0] + _MARGIN, 16)
    draw.text((_MARGIN, _HEAD + size[1] + 12), line, _FAINT, font=_font(16))
    out = io.BytesIO()
    sheet.save(out, "PNG", optimize=False, compress_level=6)
    return out.getvalue()


def _panel_size(before: Image.Image | None, after: Image.Image | None) -> tuple[int, int]:
    sizes = [(200, 200)]
    sizes += [_shown_size(picture) for picture in (before, after) if picture is not None]
    return max(width for width, _ in sizes), max(height for _, height in sizes)


def _shown_size(picture: Image.Image) -> tuple[int, int]:
    scale = min(1.0, _WIDEST / picture.width, _HIGHEST / picture.height)
    return max(1, round(picture.width * scale)), max(1, round(picture.height * scale))


def _marked(
    picture: Image.Image, regions: Sequence[Region], dpi: float
) -> tuple[Image.Image, list[Box]]:
    """The page as it is shown, regions washed with yellow and framed; and their frames."""
    size = _shown_size(picture)
    shown = picture.copy()
    if size != picture.size:
        shown = picture.resize(size, Image.Resampling.LANCZOS)
    scale = size[0] / picture.width
    boxes = []
    wash = Image.new("RGB", size, _WHITE)
    for region in regions:
        x, y, right, bottom = _pixels_of(region, dpi * scale)
        boxes.append(
            (
                max(0, x - 5),
                max(0, y - 5),
                min(size[0] - 1, right + 5),
                min(size[1] - 1, bottom + 5),
            )
        )
        if boxes[-1][0] < boxes[-1][2] and boxes[-1][1] < boxes[-1][3]:
            ImageDraw.Draw(wash).rectangle(boxes[-1], fill=_WASH)
    shown = ImageChops.multiply(shown, wash)
    draw = ImageDraw.Draw(shown)
    for x, y, right, bottom in boxes:
        if x < right and y < bottom:
            draw.rectangle((x, y, right, bottom), outline=_MARK, width=2)
    return shown, boxes


def _number(draw: ImageDraw.ImageDraw, boxes: Sequence[Box], right: int) -> None:
    """The numbers of regions in the margin that ends at ``right``, each at its height; one
    that would cover the number before it is left out."""
    font = _font(13)
    free = 0
    for number, box in enumerate(boxes, start=1):
        top = _HEAD + max(0, (box[1] + box[3] - _TAG) // 2)
        if top < free:
            continue
        free = top + _TAG + 1
        width = int(draw.textlength(str(number), font=font)) + 9
        draw.rectangle((right - width, top, right, top + _TAG), fill=_MARK)
        draw.text((right - width + 5, top + 1), str(number), _WHITE, font=font)


def _fitting(text: str, width: int, size: int) -> str:
    font = _font(size)
    while len(text) > 4 and font.getlength(text) > width:
        text = text[:-2].rstrip("…") + "…"
    return text


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)  # comes with Pillow: the same on every machine
