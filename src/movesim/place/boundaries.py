"""Boundaries: where each LSOA lies and how large it is, from GeoJSON or a table of centroids."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from movesim.errors import InputError
from movesim.place.lookups import Lookup
from movesim.place.origins import Origin
from movesim.place.reading import LSOA, read

Floats = NDArray[np.float64]
KM_PER_DEGREE = 111.195  # of latitude, on a sphere of the Earth's mean radius
_ENGLAND = ((-7.0, 2.5), (49.0, 56.5))  # degrees that England lies within
_METRES = ((0.0, 700_000.0), (0.0, 700_000.0))  # of the British National Grid


def read_boundaries(origin: Origin, codes: list[str], lookup: Lookup, people_2011: Mapping[str, float]) -> dict[str, Floats]:
    """Return longitude, latitude and (of polygons) hectares of each LSOA, NaN where it is absent.

    Raises InputError for a file that is cut, or whose positions are not in England or are not degrees.
    """
    if origin.suffix in (".geojson", ".json"):
        return _polygons(origin, codes)
    table = read(origin, ("lsoa21cd", "lsoa11cd"), year=False)
    out = {}
    for name, column, (low, high) in (("longitude", "long", _ENGLAND[0]), ("latitude", "lat", _ENGLAND[1])):
        values = table.numbers(column, whole=False)
        wrong = np.flatnonzero((values < low) | (values > high))
        if len(wrong):
            raise InputError(
                f"{origin}, line {table.lines[wrong[0]]}, column '{column.upper()}': {values[wrong[0]]:g} is not in England; "
                "fetch the file again."
            )
        by_code = dict(zip(table.codes, values.tolist()))
        if "lsoa21cd" in table.names:
            out[name] = np.array([by_code.get(c, np.nan) for c in codes])
        else:
            out[name] = lookup.levels(codes, by_code, people_2011)
    return out


def _polygons(origin: Origin, codes: list[str]) -> dict[str, Floats]:
    try:
        document = json.loads(origin.bytes().decode("utf-8-sig"))
        features = document["features"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{origin} is no whole GeoJSON file ({' '.join(str(error).split())[:80]}); fetch it again.") from None
    found: dict[str, tuple[float, float, float]] = {}
    wanted = set(codes)
    for number, feature in enumerate(features if isinstance(features, list) else [], start=1):
        code = _code(feature)
        if code is None or not LSOA.match(code):
            continue  # of Wales, or without a code
        if code in found:
            raise InputError(f"{origin}, feature {number}: {code} is there twice; keep one.")
        if code in wanted:
            found[code] = _shape(origin, number, code, feature)
    if not found:
        raise InputError(f"{origin} has none of the LSOAs of the place; fetch the boundaries of LSOAs of December 2021.")
    missing = (np.nan, np.nan, np.nan)
    values = np.array([found.get(c, missing) for c in codes])
    return {"longitude": values[:, 0], "latitude": values[:, 1], "hectares": values[:, 2]}


def _code(feature: Any) -> str | None:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    if not isinstance(properties, dict):
        return None
    return next((str(v).strip() for k, v in properties.items() if str(k).lower() == "lsoa21cd"), None)


def _shape(origin: Origin, number: int, code: str, feature: Any) -> tuple[float, float, float]:
    """Centroid (degrees) and hectares of a polygon or several."""
    where = f"{origin}, feature {number} ({code})"
    try:
        geometry = feature["geometry"]
        polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
        if geometry["type"] not in ("Polygon", "MultiPolygon"):
            raise ValueError(geometry["type"])
        rings = [np.asarray(ring, dtype=np.float64)[:, :2] for polygon in polygons for ring in polygon]
        if not rings or not all(np.isfinite(r).all() and len(r) > 2 for r in rings):
            raise ValueError("a ring of fewer than three points")
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise InputError(f"{where} has no polygon ({' '.join(str(error).split())[:60]}); fetch the file again.") from None
    outer = rings[0]
    (west, east), (south, north) = _ENGLAND
    metric = bool((np.abs(outer) > 1000).any())
    inside = _METRES if metric else ((west, east), (south, north))
    for axis in (0, 1):
        if outer[:, axis].min() < inside[axis][0] or outer[:, axis].max() > inside[axis][1]:
            raise InputError(f"{where} lies at {outer[0, 0]:g}, {outer[0, 1]:g}, which is not in England; fetch the file again.")
    if metric:
        raise InputError(
            f"{where} is given in metres of the National Grid; fetch the GeoJSON in degrees (WGS84), as the "
            "portal gives it by default."
        )
    middle = float(outer[:, 1].mean())
    scale = np.array([KM_PER_DEGREE * np.cos(np.radians(middle)), KM_PER_DEGREE])
    area, moment = 0.0, np.zeros(2)
    for ring in rings:  # holes run the other way round and are taken off
        xy = (ring - outer[0]) * scale
        nxt = np.roll(xy, -1, axis=0)
        cross = xy[:, 0] * nxt[:, 1] - nxt[:, 0] * xy[:, 1]
        area += cross.sum() / 2
        moment += ((xy + nxt) * cross[:, None]).sum(axis=0) / 6
    at = moment / area if abs(area) > 1e-9 else (outer.mean(axis=0) - outer[0]) * scale
    place = outer[0] + at / scale
    return float(place[0]), float(place[1]), abs(area) * 100


def kilometres(facts: Mapping[str, Floats]) -> Floats | None:
    """Return positions on a plane, (g, 2) in kilometres, with the mean of the place where one is unknown; None without any."""
    if "longitude" not in facts or np.isnan(facts["longitude"]).all():
        return None
    at = np.stack([facts["longitude"], facts["latitude"]], axis=1)
    middle = np.nanmean(at, axis=0)
    at = np.where(np.isnan(at), middle, at)
    return np.asarray((at - middle) * KM_PER_DEGREE * np.array([np.cos(np.radians(middle[1])), 1.0]))
