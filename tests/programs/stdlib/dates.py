# Dates, times, durations and zones: values, texts, errors and states.
import copy
import pickle
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta, timezone, tzinfo


def show(thunk):
    try:
        print(thunk())
    except Exception as error:
        print(type(error).__name__, error)


print(MINYEAR, MAXYEAR, UTC, timezone.min, timezone.max, timedelta.min, timedelta.max)
for year, month, day in [(1, 1, 1), (1970, 1, 1), (2000, 2, 29), (2020, 12, 31), (9999, 12, 31)]:
    d = date(year, month, day)
    print(d, d.toordinal(), d.weekday(), d.isocalendar(), d.ctime(), date.fromordinal(d.toordinal()) == d)
    print(repr(d), d.__reduce__(), pickle.loads(pickle.dumps(d)) == d)
for text in ["2020-W53-5", "20200229", "2020W10", "2020-10-1", "2019-02-29", "2020-W54-1", "x"]:
    show(lambda: date.fromisoformat(text))
for text in [
    "2020-01-01", "2020-01-01T10", "2020-01-01 10:11:12,5", "20200101T101112.1234567+0530", "2020-W01-1T00Z",
    "2020-01-01T24:00", "2020-01-01T24:01", "2020-01-01T10:11-00:00:01.5", "2020-01-01T10:", "2020-01-01T1",
]:
    show(lambda: repr(datetime.fromisoformat(text)))
for text in ["10", "T10:11", "101112", "10:1112", "10:11:12.", "24:00", "25", "10+24:00"]:
    show(lambda: repr(time.fromisoformat(text)))

for args in [(1, 2, 3), (0.5, 0.25), (-1,), (1e-9, 0, 0.5), (0, 0, 1.5), (0, 0, 2.5)]:
    delta = timedelta(*args)
    print(repr(delta), delta, delta.total_seconds(), -delta, abs(delta), bool(delta))
hour = timedelta(hours=1)
print(hour * 2.5, hour / 3, hour // 7, hour / timedelta(minutes=7), hour % timedelta(minutes=7), divmod(hour, hour * 2))
print(hour * 1e-300, hour / 1e300, hour * 0.1, hour / 0.3, timedelta.max / 3.0, 3 * hour)
for thunk in [
    lambda: timedelta.max + hour, lambda: timedelta(10**9), lambda: timedelta(10**40), lambda: timedelta(1e300),
    lambda: hour * (1 << 40), lambda: hour / 0, lambda: hour // timedelta(), lambda: hour * float("nan"), lambda: hour / 1e-300,
    lambda: timedelta("1"), lambda: timedelta(float("inf")), lambda: timedelta(days=10**40, microseconds=-(10**40) * 86400 * 10**6),
    lambda: date(2000, 13, 1), lambda: date(2001, 2, 29), lambda: date(0, 1, 1), lambda: date(2000), lambda: date(1 << 31, 1, 1),
    lambda: time(24), lambda: time(0, 0, 0, 1000000), lambda: time(fold=2), lambda: datetime(1, 1, 1, tzinfo=3),
    lambda: date.max + timedelta(1), lambda: datetime.min - hour, lambda: timezone(timedelta(1)), lambda: timezone(3),
    lambda: date(1, 1, 1) < datetime(1, 1, 1), lambda: datetime(1, 1, 1) - datetime(1, 1, 1, tzinfo=UTC),
    lambda: datetime(1, 1, 1) < datetime(1, 1, 1, tzinfo=UTC), lambda: tzinfo().utcoffset(None), lambda: date.fromordinal(0),
    lambda: datetime.fromtimestamp(1e20), lambda: datetime.fromtimestamp("1"), lambda: date.fromisocalendar(2000, 54, 1),
]:
    show(thunk)

moment = datetime(2020, 2, 29, 23, 59, 59, 999999, tzinfo=timezone(timedelta(hours=5, minutes=30), "here"), fold=1)
print(moment, repr(moment), moment.tzname(), moment.utcoffset(), moment.dst(), moment.timetz(), moment.date())
print(moment.astimezone(UTC), moment.timestamp(), moment.utctimetuple(), moment.isoformat("_", "milliseconds"))
print(moment.strftime("%Y-%m-%d %H:%M:%S.%f %z %:z %Z %% \ud83d"[:-1]), f"{moment:%j %U}", moment.replace(fold=0, year=2024))
print(moment.__reduce_ex__(2), moment.__reduce_ex__(4), pickle.loads(pickle.dumps(moment)) == moment, copy.replace(moment, year=4))
print(date(5, 6, 7).strftime("%Y %G %C %F"), datetime.strptime("2020-01-02 03:04:05 +0102", "%Y-%m-%d %H:%M:%S %z"))
print(datetime.fromtimestamp(1.5, UTC), datetime.fromtimestamp(-1.5000005, UTC), datetime.combine(date(1, 2, 3), time(4, tzinfo=UTC)))
print(hash(moment) == hash(moment.astimezone(UTC)), hash(time(5, tzinfo=UTC)) == hash(time(6, tzinfo=timezone(hour))), hash(hour))
print(hash(date(2000, 1, 1)), hash(datetime(2000, 1, 1)), hash(time(1)), hash(datetime(2000, 1, 1, tzinfo=UTC)))


class Odd(tzinfo):
    """A zone whose methods change their minds."""

    def __init__(self, answer):
        self.answer = answer

    def utcoffset(self, dt):
        return self.answer

    dst = tzname = utcoffset


for answer in [None, 1, "x", timedelta(1), timedelta(hours=-23, microseconds=1)]:
    odd = datetime(2000, 1, 1, tzinfo=Odd(answer))
    for thunk in [odd.utcoffset, odd.dst, odd.tzname, odd.isoformat, lambda: odd == datetime(2000, 1, 1, tzinfo=UTC)]:
        show(thunk)


class Counted(datetime):
    def __new__(cls, *args, **kwargs):
        print("new", args, kwargs)
        return super().__new__(cls, *args, **kwargs)


counted = Counted(2000, 1, 1)
show(lambda: counted + hour)
show(lambda: counted.replace(fold=1))
show(lambda: Counted.combine(date(1, 1, 1), time(fold=1)))
show(lambda: Counted.__new__(Counted))
for uninitialised in [timedelta.__new__(timedelta), tzinfo.__new__(tzinfo, 1, a=2).__reduce__(), time.__new__(time)]:
    print(uninitialised)
