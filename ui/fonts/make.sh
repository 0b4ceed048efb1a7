#!/bin/sh
# Makes TongguanSans.otf beside this script from Debian's fonts-noto-cjk. See README.md.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
source=${1:-/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc}
out=${2:-$here/TongguanSans.otf}
if ! [ -r "$source" ]; then
    echo "make.sh: $source is not there; sudo apt-get install fonts-noto-cjk" >&2
    exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet fonttools==4.60.1

"$work/venv/bin/python" - "$source" "$work/sc.otf" "$work/characters" <<'PY'
import sys
from fontTools.ttLib import TTCollection

source, face_file, characters_file = sys.argv[1:]

# The collection holds one face for each region; the same code point is drawn differently in each.
faces = TTCollection(source, recalcTimestamp=False).fonts
face = next(f for f in faces if f["name"].getDebugName(1).startswith("Noto Sans CJK SC"))
face.save(face_file)

# GB2312 level 1 and 2: every hanzi an everyday sentence or a resident's registered name is written with.
# Rows 1 and 3 are its punctuation and full-width forms.
rows = [0xA1, 0xA3, *range(0xB0, 0xF8)]
pairs = bytes(byte for row in rows for cell in range(0xA1, 0xFF) for byte in (row, cell))
wanted = set(pairs.decode("gb2312", errors="ignore"))
wanted |= {chr(c) for c in range(0x20, 0x7F)} | {chr(c) for c in range(0xA0, 0x180)}
# Quotes, dashes, ellipsis, arrows, ticks and the shapes a sentence may name.
wanted |= set("‐‑–—‘’“”„•…‰′″⁄€№™←↑→↓↔−×÷≈≠≤≥■□▲△▶▼▽◆◇○●★☆✓✗")
open(characters_file, "w", encoding="utf-8").write("".join(sorted(wanted)))
PY

"$work/venv/bin/pyftsubset" "$work/sc.otf" --text-file="$work/characters" --output-file="$work/subset.otf" \
    --layout-features=kern,ccmp,mark --name-IDs='*' --no-hinting \
    --drop-tables+=vhea,vmtx,VORG,BASE,DSIG

"$work/venv/bin/python" - "$work/subset.otf" "$out" <<'PY'
import os, sys
from fontTools.ttLib import TTFont

subset, out = sys.argv[1:]
font = TTFont(subset, recalcTimestamp=False)  # the same input gives the same bytes
names = font["name"]
# A modified version may not carry a reserved font name (OFL 1.1, condition 3); copyright and licence stay.
keep = {n.nameID: n.toUnicode() for n in names.names if n.nameID in (0, 13, 14) and n.platformID == 3}
names.names = []
for number, text in {
    **keep, 1: "Tongguan Sans", 2: "Regular", 3: "Tongguan Sans 1", 4: "Tongguan Sans", 5: "Version 1", 6: "TongguanSans",
    10: "A subset of Noto Sans CJK SC for the Tongguan checkpoint.",
}.items():
    names.setName(text, number, 3, 1, 0x409)
cff = font["CFF "].cff
cff.fontNames = ["TongguanSans"]
top = cff.topDictIndex[0]
top.FamilyName, top.FullName = "Tongguan Sans", "Tongguan Sans"
# The only weight there is answers for every weight asked for.
font["OS/2"].usWeightClass = 400
font["OS/2"].fsSelection = (font["OS/2"].fsSelection & ~0x21) | 0x40
font["head"].macStyle = 0
# Noto leaves room for every script it has; hanzi and Latin stand well in 1.25 em, and a screen of sentences gains a line.
up, down = 1000, 250
font["hhea"].ascent, font["hhea"].descent, font["hhea"].lineGap = up, -down, 0
font["OS/2"].sTypoAscender, font["OS/2"].sTypoDescender, font["OS/2"].sTypoLineGap = up, -down, 0
font["OS/2"].usWinAscent, font["OS/2"].usWinDescent = up, down
font.save(out)
print(f"{out}: {os.path.getsize(out)} bytes, {len(font.getGlyphOrder())} glyphs, {len(font.getBestCmap())} characters")
PY
