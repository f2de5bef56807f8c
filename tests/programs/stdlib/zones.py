# Zones from a file made here: transitions, folds, gaps, rules and the caches.
import io
import struct
from datetime import UTC, datetime, time, timedelta
from zoneinfo import TZPATH, ZoneInfo, ZoneInfoNotFoundError


def tzif(transitions, infos, names, rule):
    """A version 2 file of transitions (moment, info) and infos (offset, is_dst, place of the name)."""
    def block(size):
        head = b"TZif2" + bytes(15) + struct.pack(">6l", 0, 0, 0, len(transitions), len(infos), len(names))
        body = b"".join(struct.pack(">q" if size == 8 else ">l", moment) for moment, _ in transitions)
        body += bytes(info for _, info in transitions)
        body += b"".join(struct.pack(">lbb", *info) for info in infos)
        return head + body + names
    return io.BytesIO(block(4) + block(8) + b"\n" + rule + b"\n")


def make(rule=b"AAA-1BBB,M3.5.0,M10.5.0/3", **kwargs):
    names = b"LMT\0AAA\0BBB\0"
    infos = [(561, 0, 0), (3600, 0, 4), (7200, 1, 8)]
    return ZoneInfo.from_file(tzif([(-1000000000, 1), (954032400, 2), (972781200, 1)], infos, names, rule), **kwargs)


zone = make(key="Here")
print(zone, repr(zone), zone.key, zone.utcoffset(None), zone.utcoffset(datetime(1900, 1, 1)))
for when in [
    datetime(2000, 3, 26, 1, 59), datetime(2000, 3, 26, 2, 30), datetime(2000, 3, 26, 3), datetime(2000, 10, 29, 2, 30),
    datetime(2021, 3, 28, 2, 30), datetime(2021, 7, 1), datetime(2021, 10, 31, 2, 30), datetime(9999, 12, 31),
]:
    for fold in (0, 1):
        dt = when.replace(tzinfo=zone, fold=fold)
        print(dt, fold, dt.tzname(), dt.dst(), end=" | ")
    print()
moment = datetime(2021, 10, 30, 23, 30, tzinfo=UTC)
for hours in range(4):
    local = (moment + timedelta(hours=hours)).astimezone(zone)
    print(local, local.fold)
for rule in [b"X5", b"<+03>-3", b"A1", b"AAA", b"AAA4BBB", b"AAA4BBB,M13.1.1,J1", b"AAA4BBB,J366,J1", b"AAA25", b"", b"AAA-1BBB-2,0,J365/25"]:
    try:
        print(rule, datetime(2021, 7, 1, tzinfo=make(rule)).isoformat())
    except ValueError as error:
        print(rule, type(error).__name__)
for thunk in [
    lambda: ZoneInfo("no/such/zone"), lambda: ZoneInfo("../etc/passwd"), lambda: ZoneInfo(3), lambda: zone.fromutc(3),
    lambda: zone.utcoffset(time()), lambda: zone.utcoffset(3), lambda: zone.__reduce__(), lambda: ZoneInfo.from_file(io.BytesIO(b"no")),
    lambda: zone.fromutc(datetime(2000, 1, 1)), lambda: ZoneInfo.clear_cache(only_keys=3),
]:
    try:
        print(thunk())
    except Exception as error:
        print(type(error).__name__, str(error)[:60])
print(issubclass(ZoneInfoNotFoundError, KeyError), ZoneInfo.clear_cache(), ZoneInfo.clear_cache(only_keys=["a"]))
print(len(TZPATH), all(path.endswith("/zoneinfo") for path in TZPATH))
