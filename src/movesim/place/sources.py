"""Sources: the kinds of official tables a place is made from, what gives each away, and what stands in where it is absent."""

from __future__ import annotations

from dataclasses import dataclass

from movesim.place.reading import CODE

NSSEC = "national statistics socio-economic classification (ns-sec): "
RANK = "index of multiple deprivation (imd) rank (where 1 is most deprived)"
DECILE = "index of multiple deprivation (imd) decile (where 1 is most deprived 10% of lsoas)"
PARKS = "average distance to nearest park, public garden, or playing field (m)"
ASB = "anti_social_behaviour_rate_per_1_000_at_risk_population"
NEW, OLD = "lsoa code (2021)", "lsoa code (2011)"
SHORTEST = 30  # letters of a column name that a cut one must have left


@dataclass(frozen=True)
class Source:
    """A kind of official table: its key, title, whether it is needed, the columns that give it away, and where it is found.

    signs are column names as they are compared (one ending in * stands for all that begin so), more are other sets of them
    that do as well; instead says what stands in where the table is absent.
    """

    key: str
    title: str
    needed: bool
    signs: tuple[str, ...]
    where: str
    instead: str = ""
    more: tuple[tuple[str, ...], ...] = ()

    def matches(self, names: set[str]) -> bool:
        """Return whether a table with these names is of this kind."""
        return any(all(_there(sign, names) for sign in signs) for signs in (self.signs, *self.more))

    def lacking(self, names: set[str]) -> list[str] | None:
        """Return which signs are missing where some, and not only the area code, are there; None where the kind is another."""
        near = None
        for signs in (self.signs, *self.more):
            own = [s for s in signs if s not in CODES]
            held = [s for s in own if len(s) > 4 and _there(s, names)]  # an age alone says nothing
            missing = [s for s in signs if not _there(s, names)]
            if held and missing and (near is None or len(missing) < len(near)):
                near = missing
        return near


CODES = (CODE, NEW, OLD, "lsoa code", "lsoa 2021 code", "lsoa11cd", "lsoa21cd", "lsoa (code)")


def _there(sign: str, names: set[str]) -> bool:
    if sign in names:
        return True
    if sign.endswith("*"):
        return any(n.startswith(sign[:-1]) for n in names)
    return any(len(n) >= SHORTEST and sign.startswith(n) for n in names)


_NOMIS = "nomisweb.co.uk, Census 2021 bulk data, LSOA"
_DRAWN = "drawn from associations"
_UNTESTED = "what is predicted of it is not tested"
SOURCES = (
    Source("imd", "English Indices of Deprivation 2025 (or 2019), File 7 (ranks, scores, deciles)", True, (NEW, RANK),
           "gov.uk, English indices of deprivation 2025, File 7", more=((NEW, DECILE), (OLD, RANK), (OLD, DECILE))),
    Source("age", "Census 2021 age (custom dataset in 6 or more categories, or TS007A)", True, (CODE, "age: aged *"),
           "ons.gov.uk, Create a custom dataset; or nomisweb.co.uk, Census 2021 bulk data, TS007A, LSOA"),
    Source("sex", "Census 2021 TS008 sex", True, (CODE, "sex: female", "sex: male"), _NOMIS),
    Source("ethnic_group", "Census 2021 TS021 ethnic group", True,
           (CODE, "ethnic group: white", "ethnic group: other ethnic group"), _NOMIS),
    Source("disabled", "Census 2021 TS038 disability", True,
           (CODE, "disability: disabled under the equality act", "disability: not disabled under the equality act"), _NOMIS),
    Source("ns_sec", "Census 2021 TS062 NS-SEC", True,
           (CODE, NSSEC + "l7 intermediate occupations", NSSEC + "l15 full-time students"), _NOMIS),
    Source("cars", "Census 2021 TS045 cars or vans", True,
           (CODE, "number of cars or vans: no cars or vans in household"), _NOMIS),
    Source("household_size", "Census 2021 TS017 household size", True,
           (CODE, "household size: 1 person in household", "household size: 2 people in household"), _NOMIS),
    Source("communal", "Census 2021 TS001 communal establishments", False,
           (CODE, "residence type: lives in a communal establishment"), _NOMIS, "all residents are in households"),
    Source("carers", "Census 2021 TS039 unpaid care", False, (CODE, "provision of unpaid care: provides no unpaid care"), _NOMIS,
           _UNTESTED),
    Source("tenure", "Census 2021 TS054 tenure", False, (CODE, "tenure of household: owned: owns outright"), _NOMIS, _DRAWN),
    Source("employed", "Census 2021 TS059 hours worked", False, (CODE, "hours worked: part-time", "hours worked: full-time"),
           _NOMIS, _DRAWN),
    Source("health", "Census 2021 TS037 general health", False, (CODE, "general health: very good health"), _NOMIS, _UNTESTED),
    Source("qualifications", "Census 2021 TS067 highest qualification", False,
           (CODE, "highest level of qualification: no qualifications"), _NOMIS, _UNTESTED),
    Source("household_deprivation", "Census 2021 TS011 households by deprivation dimensions", False,
           (CODE, "household deprivation: household is deprived in one dimension"), _NOMIS, _UNTESTED),
    Source("indicators", "English Indices of Deprivation 2025, File 8, crime (anti-social behaviour)", False, (ASB,),
           "gov.uk, English indices of deprivation 2025, File 8", "the national value of the IMD decile"),
    Source("connectivity", "English Indices of Deprivation 2025, File 8, connectivity score", False, ("connectivity_score",),
           "gov.uk, English indices of deprivation 2025, File 8", "the national value of the IMD decile"),
    Source("single_year", "Mid-year population by single year of age (SAPE)", False,
           ("lsoa code", "all ages", "0", "45", "90+"), "ons.gov.uk, lower layer super output area population estimates",
           "ages spread evenly inside the census bands", more=(("lsoa 2021 code", "total", "f0", "f45", "m45", "m90"),)),
    Source("lookup", "LSOA 2011 to LSOA 2021 lookup", False, ("lsoa11cd", "lsoa21cd"),
           "geoportal.statistics.gov.uk, LSOA (2011) to LSOA (2021) lookup",
           "tables by LSOA of 2011 serve only where the code has not changed"),
    Source("rural_urban", "Rural-urban classification of LSOAs, 2021 or 2011", False, ("lsoa21cd", "ruc21cd"),
           "geoportal.statistics.gov.uk, Rural Urban Classification", "none", more=(("lsoa11cd", "ruc11cd"),)),
    Source("parks", "Access to public parks and playing fields, LSOA", False, ("lsoa code", PARKS),
           "ons.gov.uk, Access to gardens and public green space", "parks as near as in the nation"),
    Source("schools", "Schools (GIAS, all establishments)", False,
           ("urn", "phaseofeducation (name)", "numberofpupils", "lsoa (code)"),
           "get-information-schools.service.gov.uk, all establishment data", "made-up schools"),
    Source("boundaries", "LSOA 2021 boundaries (GeoJSON) or centroids", False, ("lsoa21cd", "geometry"),
           "geoportal.statistics.gov.uk, LSOA (December 2021) boundaries", "neighbours by the order of names",
           more=(("lsoa21cd", "lat", "long"), ("lsoa11cd", "lat", "long"))),
)  # fmt: skip
BY_KEY = {s.key: s for s in SOURCES}
