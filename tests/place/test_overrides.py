"""What a user says of neighbourhoods: read with care, kept with the place, and followed by the model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import toy_county as toy
from movesim.behaviour.reference import ReferenceModel
from movesim.behaviour.rules import References, behaviour_ledger, make_rules
from movesim.behaviour.simulation import Simulation
from movesim.errors import InputError
from movesim.place import build_place, load_place
from movesim.place.files import load_margins
from movesim.place.margins import Margins, national_environment
from movesim.place.overrides import COLUMNS, overridden, template
from movesim.words import DOMAINS, LOCAL
from small import small_population

FIRST, SECOND = toy.codes()[:2]


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy.write(tmp_path_factory.mktemp("county"))["imd"].parent


@pytest.fixture(scope="module")
def margins(county: Path) -> Margins:
    return load_margins(build_place(county, "plain_county"))


def _file(folder: Path, text: str) -> Path:
    path = folder / "ours.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_place_is_built_with_what_the_user_says(county: Path, margins: Margins, tmp_path: Path) -> None:
    path = _file(
        tmp_path,
        f"local_authority,code,supply_sport,workforce,price,connectivity,offer\n,{FIRST},1.5,,0.5,,\nToytown,,0.8,0.4,,55,1.2\n",
    )
    lines: list[str] = []
    build_place(county, "our_county", tell=lines.append, overrides=path)
    p = load_place("our_county", None)
    at = {str(code): k for k, code in enumerate(p.neighbourhoods["code"])}
    n = p.neighbourhoods
    town = n["local_authority"] == p.local_authorities.index("Toytown")
    assert n["supply_sport"][at[FIRST]] == pytest.approx(1.5) and town[at[FIRST]]
    assert np.allclose(np.delete(n["supply_sport"], at[FIRST])[np.delete(town, at[FIRST])], 0.8)
    assert np.allclose(n["supply_sport"][~town], 1.0) and np.isnan(n["workforce"][~town]).all()
    assert (n["connectivity"][town] == 55).all() and n["price"][at[FIRST]] == 0.5
    assert any("supply_sport" in line and "6 of 12 neighbourhoods" in line for line in lines)
    assert any("ours.csv" in note for note in p.notes)
    plain = load_place("plain_county", None)
    assert np.array_equal(plain.people["id"], p.people["id"]) and plain.fingerprint != p.fingerprint
    assert "supply_sport" not in plain.neighbourhoods


def test_outdoor_space_and_facilities_are_the_nations_until_a_user_says(county: Path, margins: Margins, tmp_path: Path) -> None:
    """No official table gives either by neighbourhood: the note says so, and a file of the user's own is followed by supply."""
    nation = national_environment(margins.imd_decile)
    for name in ("outdoor_space", "facilities"):
        assert np.array_equal(margins.environment[name], nation[name])
    assert any("outdoor_space, facilities: national values for the IMD decile" in note for note in margins.notes)
    said = overridden(
        margins, _file(tmp_path, f"code,local_authority,outdoor_space,facilities\n{FIRST},,60,0.3\n,Toytown,300,\n")
    )
    town = margins.local_authority == margins.local_authorities.index("Toytown")
    first = margins.code == FIRST
    assert said.environment["outdoor_space"][first] == 60 and (said.environment["outdoor_space"][town & ~first] == 300).all()
    assert said.environment["facilities"][first] == np.float32(0.3)
    assert np.array_equal(said.environment["facilities"][~first], nation["facilities"][~first])
    assert said.fingerprint() != margins.fingerprint() and said.notes[-1].startswith(
        "outdoor_space, facilities: as ours.csv says"
    )
    # The model follows: more space, more walking for leisure and play; fewer facilities, less sport.
    rules = make_rules(behaviour_ledger().central())
    plain, changed = small_population(people=300), small_population(people=300)
    changed.neighbourhoods["outdoor_space"] = changed.neighbourhoods["outdoor_space"] * 2
    plain.neighbourhoods["facilities"][:], changed.neighbourhoods["facilities"][:] = 0.55, 0.3
    before, after = (Simulation(p, rules, References.first_guess()).log_E for p in (plain, changed))
    names = [d.name for d in DOMAINS]
    for name in ("leisure_walk", "play"):
        more = after[names.index(name)] - before[names.index(name)]
        assert (more >= 0).all() and more.max() > 0.05  # a supply of 1 is the most there is
    assert (after[names.index("sport")] < before[names.index("sport")]).all()
    assert np.array_equal(after[names.index("travel_walk")], before[names.index("travel_walk")])


def test_the_model_follows_and_agrees_with_its_reference() -> None:
    rules = make_rules(behaviour_ledger().central())
    plain, said = small_population(people=300), small_population(people=300)
    g = said.neighbourhoods["code"].size
    said.neighbourhoods |= {c.name: np.ones(g, np.float32) for c in LOCAL}
    said.neighbourhoods["workforce"][:] = said.neighbourhoods["park_distance"][:] = np.nan
    one, same = (Simulation(p, rules, References.first_guess(), seed=1) for p in (plain, said))
    for name in ("log_E", "fte", "offer"):
        assert np.array_equal(getattr(one, name), getattr(same, name)), name
    assert np.array_equal(one.people.log_A, same.people.log_A)
    said.neighbourhoods["supply_sport"][0], said.neighbourhoods["workforce"][1] = 0.5, 2.0
    said.neighbourhoods["price"][2], said.neighbourhoods["offer"][0] = 0.0, 1.3
    said.neighbourhoods["park_distance"][:3] = rules["opportunity.park_distance_median"] * np.array([1.0, 2.0, 0.5])
    other = Simulation(said, rules, References.first_guess(), seed=1)
    for d in (0, 4):  # walking for leisure and play: fewer where the park is farther; nothing else
        assert other.log_E[d, 0] == pytest.approx(one.log_E[d, 0], abs=1e-6) and other.log_E[d, 3] == one.log_E[d, 3]
        assert other.log_E[d, 1] == pytest.approx(one.log_E[d, 1] - rules["opportunity.park_distance"] * np.log(2), abs=1e-6)
        assert other.log_E[d, 2] > one.log_E[d, 2]
    assert np.array_equal(other.log_E[1], one.log_E[1])
    assert np.exp(other.log_E[3, 0]) == pytest.approx(0.5 * np.exp(one.log_E[3, 0]))
    assert other.fte[1] == 2.0 and other.trust[1] > one.trust[1] and other.fte[0] == one.fte[0]
    there = other.people.columns["neighbourhood"][: other.people.n] == 2
    assert (other.people.log_A[3, : other.people.n][there] >= one.people.log_A[3, : one.people.n][there]).all()
    assert other.offer[1:] == pytest.approx(np.log(1.3))
    model = ReferenceModel.of(other)
    other.step()
    model.step()
    found = model.compare(other).worst()
    assert max(found.values()) < 1e-4, found


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", r"is empty; 'movesim place export' writes one"),
        ("code,suply_sport\nE01900100,1\n", r"line 1: 'suply_sport' is no column of an override\. Did you mean 'supply_sport'\?"),
        ("code,price,price\n", r"line 1: the column 'price' stands there twice"),
        ("name,price\nx,1\n", r"line 1: no column says which neighbourhood a row is of"),
        ("code,name\nE01900100,x\n", r"line 1: no column to override; add one of"),
        ("code,price\nE01900100\n", r"line 2: 1 cells where the first line has 2"),
        ("code,price\nE01999999,1\n", r"line 2: 'E01999999' is no neighbourhood of this place"),
        ("code,price\nE01900100,1\nE01900100,2\n", r"line 3: E01900100 stands already in line 2"),
        (
            "local_authority,price\nToytwon,1\n",
            r"line 2: 'Toytwon' is no local authority of this place\. Did you mean 'Toytown'\?",
        ),
        ("local_authority,price\nToytown,1\nToytown,2\n", r"line 3: Toytown stands already in line 2"),
        ("code,local_authority,price\n,,1\n", r"line 2: neither a code nor a local authority"),
        ("code,price\nE01900100,cheap\n", r"line 2, column 'price': 'cheap' is not a number"),
        ("code,price\nE01900100,-1\n", r"line 2, column 'price': -1 is out of range; between 0 and 5 will do"),
        ("code,workforce\nE01900100,nan\n", r"line 2, column 'workforce': nan is out of range"),
        ("code,price\nE01900100,\n", r"overrides nothing: all its cells are empty"),
    ],
)
def test_what_cannot_be_is_refused(margins: Margins, tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        overridden(margins, _file(tmp_path, text))


def test_a_missing_file_is_refused(margins: Margins, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be read .*save it as CSV in UTF-8"):
        overridden(margins, tmp_path / "none.csv")


def test_the_template_has_every_neighbourhood_and_column(margins: Margins, tmp_path: Path) -> None:
    path = template(margins, tmp_path / "template.csv")
    rows = path.read_text(encoding="utf-8-sig").splitlines()
    assert rows[0].split(",")[3:] == list(COLUMNS) and len(rows) == len(margins) + 1
    with pytest.raises(InputError, match="overrides nothing"):
        overridden(margins, path)
