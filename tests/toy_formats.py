"""Made-up counties of any size, written in every spelling that official downloads come in."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import json
import math
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from toy_county import AGES, CARS, DECILE, DIS, ETHNIC, HEADERS, NS, RANK, SHARES, SIZE

Rows = list[list[Any]]
CENSUS = ("sex", "ethnic", "disability", "nssec", "cars", "size")
TITLES = {"sex": "TS008 - Sex", "ethnic": "TS021 - Ethnic group", "disability": "TS038 - Disability",
          "nssec": "TS062 - NS-SeC", "cars": "TS045 - Car or van availability", "size": "TS017 - Household size",
          "ts007a": "TS007A - Age by five-year age bands", "communal": "TS001 - Number of usual residents in households",
          "carers": "TS039 - Provision of unpaid care"}  # fmt: skip
VARIABLE = {"sex": "Sex (2 categories)", "ethnic": "Ethnic group (6 categories)", "disability": "Disability (3 categories)",
            "nssec": "National Statistics Socio-economic Classification (NS-SeC) (10 categories)",
            "cars": "Car or van availability (5 categories)", "size": "Household size (9 categories)"}  # fmt: skip
TOPIC = {"sex": "Sex: ", "ethnic": ETHNIC, "disability": DIS, "nssec": NS, "cars": CARS, "size": SIZE}
FIVE = [f"Aged {a} to {a + 4} years" for a in range(5, 85, 5)]
BANDS_A = ["Aged 4 years and under", *FIVE, "Aged 85 years and over"]
OTHERS = ("Elsewhere", "Sandford", "Bristow, City of", "Kings Ley")


@dataclass
class County:
    """LSOAs of 2021 with their people; every table is a list of rows with a header."""

    seed: int = 1
    lsoas: int = 12
    authorities: int = 2
    first: int = 31_000
    codes: list[str] = field(default_factory=list)
    label: list[str] = field(default_factory=list)
    authority: list[str] = field(default_factory=list)
    number: list[str] = field(default_factory=list)
    rank: list[int] = field(default_factory=list)
    single: Any = None
    bulk: dict[str, Rows] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        self.rank = sorted((1 + rng.choice(32_844, self.lsoas, replace=False)).tolist())
        rows: dict[str, Rows] = {name: [] for name in CENSUS}
        singles = []
        for k in range(self.lsoas):
            a = k % self.authorities
            name = OTHERS[a]
            self.codes.append(f"E01{self.first + k:06d}")
            self.label.append(f"{name} {k // 4 + 1:03d}{'ABCD'[k % 4]}")
            self.authority.append(name)
            self.number.append(f"E0700{1200 + a}")
            people = int(rng.integers(150, 700))
            years = rng.multinomial(people, _ages(rng))
            singles.append(years)
            adults = int(years[16:].sum())
            homes = max(1, round(people / 2.4))
            ethnic, classes = rng.multinomial(people, SHARES["ethnic"]), rng.multinomial(adults, SHARES["nssec"])
            cars, size = rng.multinomial(homes, SHARES["cars"]), rng.multinomial(homes, SHARES["size"])
            disabled = int(rng.binomial(people, 0.19))
            female, little = int(rng.binomial(people, 0.5)), disabled // 2
            rows["sex"].append([people, female, people - female])
            rows["ethnic"].append([people, *ethnic])
            rows["disability"].append([people, disabled, disabled - little, little, people - disabled, people - disabled])
            rows["nssec"].append([adults, *classes])
            rows["cars"].append([homes, *cars])
            rows["size"].append([homes, 0, *size])
        self.single = np.array(singles)
        self.bulk = rows

    def decile(self, k: int) -> int:
        return math.ceil(self.rank[k] * 10 / 33_755)

    # --- census tables in three spellings ---------------------------------------------------------------------------
    def census(self, name: str, style: str) -> Rows:
        """A table as Nomis bulk ('bulk', 'measures'), Nomis query ('query') or custom dataset ('custom')."""
        heads = [h.replace("; measures: Value", "") for h in HEADERS[name]]
        rows = self.bulk[name]
        if style == "query":
            return self._query(TITLES[name], [h.removeprefix(TOPIC[name]) for h in heads], rows)
        if style == "custom":
            return self._custom(name, heads, rows)
        ending = "; measures: Value" if style == "measures" else ""
        return self.wide([h + ending for h in heads], rows)

    def wide(self, heads: list[str], rows: Rows) -> Rows:
        body = [[2021, self.label[k], self.codes[k], *row] for k, row in enumerate(rows)]
        return [["date", "geography", "geography code", *heads], *body]

    def _query(self, title: str, heads: list[str], rows: Rows) -> Rows:
        before = [[title], ["ONS Crown Copyright Reserved [from Nomis on 3 March 2025]"], [],
                  ["Population :", "All usual residents"], ["Units      :", "Persons"], ["Date       :", "2021"], []]  # fmt: skip
        body = [[self.label[k], self.codes[k], *row] for k, row in enumerate(rows)]
        after = [[], ["In order to protect against disclosure of personal information, records have been swapped."], [],
                 ["Total population counts may differ between tables, by design."]]  # fmt: skip
        return [*before, ["2021 super output area - lower layer", "mnemonic", *heads], *body, *after]

    def _custom(self, name: str, heads: list[str], rows: Rows) -> Rows:
        keep = [k for k, h in enumerate(heads) if h.count(":") < 2 and "Total" not in h and "All persons" not in h]
        if name == "nssec":
            labels = {k: _colon(heads[k].removeprefix(NS)) for k in keep}
        else:
            labels = {k: heads[k].removeprefix(TOPIC[name]) for k in keep}
        body: Rows = []
        for k, row in enumerate(rows):
            start = [self.codes[k], self.label[k]]
            body.append([*start, -8, "Does not apply", 7 if name == "nssec" else 0])
            body += [[*start, number, labels[at], row[at]] for number, at in enumerate(keep, start=1)]
        return [["Lower layer Super Output Areas Code", "Lower layer Super Output Areas", VARIABLE[name] + " Code",
                 VARIABLE[name], "Observation"], *body]  # fmt: skip

    # --- ages -------------------------------------------------------------------------------------------------------
    def ages(self, style: str) -> Rows:
        """Ages in six categories ('custom'), five-year bands ('ts007a', 'ts007a query') or single years ('single')."""
        if style == "custom":
            bounds, labels = (0, 16, 25, 35, 50, 65, 105), list(AGES)
        elif style == "single":
            bounds = (*range(101), 105)
            labels = ["Aged under 1 year", "Aged 1 year", *[f"Aged {a} years" for a in range(2, 100)], "Aged 100 years and over"]
        else:
            bounds, labels = (*range(0, 90, 5), 105), BANDS_A
        counts = [[int(s[a:b].sum()) for a, b in itertools.pairwise(bounds)] for s in self.single]
        if style.startswith("ts007a"):
            rows = [[sum(c), *c] for c in counts]
            heads = ["Total", *labels]
            if style.endswith("query"):
                return self._query(TITLES["ts007a"], heads, rows)
            return self.wide(["Age: " + h for h in heads], rows)
        variable = f"Age ({len(labels)} categories)"
        body = [[self.codes[k], self.label[k], n, label, c]
                for k, cells in enumerate(counts) for n, (label, c) in enumerate(zip(labels, cells), start=1)]  # fmt: skip
        return [["Lower layer Super Output Areas Code", "Lower layer Super Output Areas", variable + " Code", variable,
                 "Observation"], *body]  # fmt: skip

    def mid_year(self, style: str) -> Rows:
        """Mid-year ages: 'old' (both sexes, LSOA 2011 codes) or 'new' (women and men, with words before the header)."""
        ninety = [[*map(int, s[:90]), int(s[90:].sum())] for s in self.single]
        if style == "old":
            olds = self.olds()
            whole = {o: np.sum([ninety[k] for k in ks], axis=0) // len(olds) + 1 for o, ks in self._of_old().items()}
            return [["LSOA Code", "LSOA Name", "All Ages", *map(str, range(90)), "90+"],
                    *[[o, "old", int(v.sum()), *v.tolist()] for o, v in whole.items()]]  # fmt: skip
        head = ["LAD 2021 Code", "LAD 2021 Name", "LSOA 2021 Code", "LSOA 2021 Name", "Total",
                *[f"F{a}" for a in range(91)], *[f"M{a}" for a in range(91)]]  # fmt: skip
        body = []
        for k, s in enumerate(ninety):
            women = [v // 2 for v in s]
            men = [v - w for v, w in zip(s, women)]
            body.append([self.number[k], self.authority[k], self.codes[k], self.label[k], sum(s), *women, *men])
        return [["Mid-2021: population estimates by single year of age"], [], ["Contents"], head, *body]

    # --- deprivation and lookups ------------------------------------------------------------------------------------
    def imd(self, style: str = "2025") -> Rows:
        """File 7 of 2025, with headers cut at 44 letters ('cut'), with ranks only ('rank') or deciles only ('decile')."""
        head = ["LSOA code (2021)", "LSOA name (2021)", "Local Authority District code (2024)",
                "Local Authority District name (2024)", "Index of Multiple Deprivation (IMD) Score", RANK, DECILE]  # fmt: skip
        body = [[c, self.label[k], self.number[k], self.authority[k], 50 - k / 10, self.rank[k], self.decile(k)]
                for k, c in enumerate(self.codes)]  # fmt: skip
        keep = {"rank": [0, 3, 5], "decile": [0, 1, 6]}.get(style, list(range(7)))
        cut = 44 if style == "cut" else 999
        return [[head[k][:cut] for k in keep], *[[r[k] for k in keep] for r in body]]

    def olds(self) -> list[list[str]]:
        """The LSOAs of 2011 of each of 2021: pairs split, one made of two, two made of two; others kept."""
        out = [[c] for c in self.codes]
        if self.lsoas >= 8:
            out[0], out[1] = ["E01020001"], ["E01020001"]
            out[2] = ["E01020002", "E01020003"]
            out[3], out[4] = ["E01020004", "E01020005"], ["E01020005", "E01020004"]
            out[5] = ["E01020006"]
        return out

    def _of_old(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for k, olds in enumerate(self.olds()):
            for old in olds:
                found.setdefault(old, []).append(k)
        return found

    def lookup(self) -> Rows:
        kinds = {1: "U", 2: "M"}
        return [["LSOA11CD", "LSOA11NM", "LSOA21CD", "LSOA21NM", "CHGIND", "LAD22CD", "LAD22NM"],
                *[[o, "old", c, self.label[k], kinds[len(olds)], self.number[k], self.authority[k]]
                  for k, (c, olds) in enumerate(zip(self.codes, self.olds())) for o in olds]]  # fmt: skip

    def imd_2019(self) -> Rows:
        """File 7 of 2019: LSOAs of 2011, a denominator with thousands separators; the two merged are in deciles 2 and 4."""
        head = ["LSOA code (2011)", "LSOA name (2011)", "Local Authority District code (2019)",
                "Local Authority District name (2019)", RANK, DECILE,
                "Total population: mid 2015 (excluding prisoners)"]  # fmt: skip
        body = []
        for old, ks in self._of_old().items():
            rank = {"E01020002": 6000, "E01020003": 12000}.get(old, self.rank[ks[0]])
            people = {"E01020002": "2,000", "E01020003": "1,000"}.get(old, "1,500")
            body.append([old, "old", self.number[ks[0]], "Old " + self.authority[ks[0]], rank,
                         math.ceil(rank * 10 / 32_844), people])  # fmt: skip
        return [head, *body]

    # --- the useful tables ------------------------------------------------------------------------------------------
    def useful(self) -> dict[str, Rows]:
        n = range(self.lsoas)
        total = [int(s.sum()) for s in self.single]
        lives, care = "Residence type: ", "Provision of unpaid care: "
        fives = [int(s[5:].sum()) for s in self.single]
        rate = " rate per 1,000 at risk population"
        return {
            "communal": self.wide(
                [lives + "Total; measures: Value", lives + "Lives in a household; measures: Value",
                 lives + "Lives in a communal establishment; measures: Value"], [[total[k], total[k] - k, k] for k in n]),
            "carers": self.wide([care + "Total: All usual residents aged 5 and over", care + "Provides no unpaid care",
                                 care + "Provides 19 hours or less unpaid care a week"],
                                [[fives[k], fives[k] - fives[k] // 9, fives[k] // 9] for k in n]),
            "crime": [["LSOA code (2021)", "LSOA name (2021)", "Burglary rate per 1,000 at risk properties",
                       "Anti-social behaviour" + rate],
                      *[[self.codes[k], self.label[k], 2 + k / 4, 5 + k / 2] for k in n]],
            "barriers": [["LSOA code (2021)", "Connectivity score"], *[[self.codes[k], 40 + k] for k in n]],
            "rural": [["LSOA21CD", "LSOA21NM", "RUC21CD", "RUC21NM"],
                      *[[self.codes[k], self.label[k], ("UN1", "RSF1")[k % 2], "x"] for k in n]],
            "rural_2011": [["FID", "LSOA11CD", "LSOA11NM", "RUC11CD", "RUC11"],
                           *[[1, old, "x", ("C1", "E2")[ks[0] % 2], "x"] for old, ks in self._of_old().items()]],
            "parks": [["Region name", "LAD code", "LAD name", "LSOA code", "LSOA name",
                       "Average distance to nearest Park, Public Garden, or Playing Field (m)"],
                      *[["X", "E07", "x", old, "x", 100.5 + ks[0]] for old, ks in self._of_old().items()]],
            "schools": self.gias(),
        }  # fmt: skip

    def gias(self) -> Rows:
        head = ["URN", "EstablishmentName", "EstablishmentStatus (name)", "PhaseOfEducation (name)", "NumberOfPupils", "Easting",
                "Northing", "LSOA (code)"]  # fmt: skip
        rows: Rows = [[500, "St Zoë’s", "Closed", "Primary", 100, 1, 1, self.codes[0]],
                      [501, "Café Nursery", "Open", "Nursery", 40, 1, 1, self.codes[0]],
                      [502, "Elsewhere Primary", "Open", "Primary", 90, 1, 1, "E01099999"]]  # fmt: skip
        for k in range(0, self.lsoas, 3):
            rows.append([1000 + k, f"School {k}", "Open", "Primary", 60 + k, 1, 1, self.codes[k]])
        rows.append([2000, "Upper", "Open, but proposed to close", "Secondary", 300, 1, 1, self.codes[-1]])
        rows.append([2001, "Whole", "Open", "All-through", "", 1, 1, self.olds()[0][0]])
        return [head, *rows]

    def boundaries(self) -> str:
        """Squares of a hundredth of a degree in a row of rows, one of them in two parts, and one of Wales."""
        features = []
        for k, code in enumerate([*self.codes, "W01000001"]):
            x, y = -1.2 + 0.01 * (k % 5), 53.0 + 0.01 * (k // 5)
            ring = [[x, y], [x, y + 0.01], [x + 0.01, y + 0.01], [x + 0.01, y], [x, y]]
            geometry: dict[str, Any] = {"type": "Polygon", "coordinates": [ring]}
            if k == 1:
                geometry = {"type": "MultiPolygon", "coordinates": [[ring], [ring]]}
            features.append({"type": "Feature", "properties": {"LSOA21CD": code, "LSOA21NM": "x"}, "geometry": geometry})
        return json.dumps({"type": "FeatureCollection", "features": features})

    # --- writing ----------------------------------------------------------------------------------------------------
    def tables(
        self, census: str = "bulk", age: str = "custom", imd: str = "2025", useful: tuple[str, ...] = ()
    ) -> dict[str, Rows]:
        """The needed tables in some spelling, and those of the useful ones that are asked for."""
        out = {name: self.census(name, census) for name in CENSUS}
        out["age"] = self.ages(age)
        out["imd"] = self.imd_2019() if imd == "2019" else self.imd(imd)
        if imd == "2019":
            out["lookup"] = self.lookup()
        more = self.useful()
        for name in useful:
            if name.startswith("mid"):
                out[name] = self.mid_year(name.split()[1])
            else:
                out[name] = self.lookup() if name == "lookup" else more[name]
        return out


def _ages(rng: np.random.Generator) -> Any:
    weight = np.where(np.arange(105) < 70, 1.0, 0.9 ** (np.arange(105) - 70.0)) * rng.uniform(0.7, 1.3, 105)
    return weight / weight.sum()


def _colon(label: str) -> str:
    """'L1, L2 and L3 Higher managerial' as custom datasets write it: 'L1, L2 and L3: Higher managerial'."""
    words = label.split(" ")
    last = max(k for k, w in enumerate(words) if w.startswith("L") and w[1:2].isdigit())
    return " ".join([*words[:last], words[last] + ":", *words[last + 1 :]])


def text(rows: Rows, delimiter: str = ",", quoted: bool = False, end: str = "\n") -> str:
    """Rows as CSV text."""
    out = io.StringIO(newline="")
    style = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    csv.writer(out, delimiter=delimiter, quoting=style, lineterminator=end).writerows(rows)
    return out.getvalue()


def put(folder: Path, tables: dict[str, Rows], packing: str = "folder", encoding: str = "utf-8", **style: Any) -> Path:
    """Write tables into a folder: as files, gz, one zip, a zip in a zip, or one workbook; returns what to give as files."""
    folder.mkdir(parents=True, exist_ok=True)
    data = {
        f"{name.replace(' ', '-')}.csv": text(rows, **style).encode(encoding, errors="replace") for name, rows in tables.items()
    }
    if packing == "xlsx":
        from openpyxl import Workbook

        book = Workbook()
        book.remove(book.active)
        for name, rows in tables.items():
            sheet = book.create_sheet(name[:30])
            for row in rows:
                sheet.append([c.item() if isinstance(c, np.generic) else c for c in row])
        book.save(folder / "tables.xlsx")
        return folder
    if packing == "folder":
        for name, raw in data.items():
            (folder / name).write_bytes(raw)
        return folder
    if packing == "gz":
        for name, raw in data.items():
            (folder / f"{name}.gz").write_bytes(gzip.compress(raw))
        return folder
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in data.items():
            archive.writestr(f"bulk/{name}", raw)
    path = folder / "tables.zip"
    if packing == "zip":
        path.write_bytes(inner.getvalue())
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("census.zip", inner.getvalue())
            archive.writestr("__MACOSX/._census.zip", b"junk")
    return path
