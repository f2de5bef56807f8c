"""sqlalchemy: tables, the ORM's round trip, relationships, queries, compiled SQL, events, errors."""
import enum
import logging
import sys
from datetime import date
from decimal import Decimal
from typing import Optional

from sqlalchemy import *
from sqlalchemy import types
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import *
from sqlalchemy import event, exc, inspect, schema

logging.basicConfig(stream=sys.stdout, format="%(name)s %(message)s")
logging.getLogger("sqlalchemy.engine").setLevel(logging.WARNING)


class Base(DeclarativeBase):
    pass


class Kind(enum.Enum):
    PLAIN = 1
    FANCY = 2


tags = Table("tags", Base.metadata, Column("user_id", ForeignKey("users.id"), primary_key=True), Column("tag_id", ForeignKey("tag.id"), primary_key=True))


class Tag(Base):
    __tablename__ = "tag"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(30), unique=True)


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    first: Mapped[str]
    last: Mapped[Optional[str]]
    kind: Mapped[Kind] = mapped_column(default=Kind.PLAIN)
    born: Mapped[Optional[date]]
    worth: Mapped[Decimal] = mapped_column(Numeric(10, 2), default=Decimal("1.50"))
    notes: Mapped[list["Note"]] = relationship(back_populates="user", cascade="all, delete-orphan", order_by="Note.id")
    tags: Mapped[set[Tag]] = relationship(secondary=tags)

    @hybrid_property
    def full(self):
        return self.first + " " + self.last

    @validates("first")
    def check_first(self, key, value):
        if not value:
            raise ValueError(f"{key} is empty")
        return value

    def __repr__(self):
        return f"User({self.id}, {self.first!r}, {self.kind}, {self.worth})"


class Note(Base):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    data: Mapped[dict] = mapped_column(JSON, default=dict)
    type: Mapped[str]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    user: Mapped[User] = relationship(back_populates="notes")
    __mapper_args__ = {"polymorphic_on": "type", "polymorphic_identity": "note"}


class Alarm(Note):
    __mapper_args__ = {"polymorphic_identity": "alarm"}


engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
event.listen(User, "before_insert", lambda mapper, connection, target: print("inserting", target.first))
with Session(engine) as session:
    red, blue = Tag(name="red"), Tag(name="blue")
    ann = User(first="Ann", last="Ash", born=date(2000, 2, 29), tags={red, blue}, notes=[Note(text="one", data={"a": [1, None]}), Alarm(text="two")])
    session.add_all([ann, User(first="Bob", last="Bee", kind=Kind.FANCY, worth=Decimal("3.14"), tags={red})])
    session.commit()
    print(ann, ann.notes[0].data, sorted(tag.name for tag in ann.tags), [type(note).__name__ for note in ann.notes], inspect(ann).persistent)
    print(session.scalars(select(User).where(User.full.like("%Bee")).options(selectinload(User.tags))).all())
    print(session.execute(select(User.first, func.count(Note.id).label("n")).outerjoin(User.notes).group_by(User.id).order_by(desc("n"))).all())
    print(session.execute(select(User.first, func.row_number().over(order_by=User.worth.desc()))).mappings().all())
    print(session.scalar(select(func.sum(User.worth))), session.get(User, 99), session.query(Alarm).one().user is ann)
    ann.notes.pop()
    ann.kind = Kind.FANCY
    print(len(session.dirty), inspect(ann).attrs.kind.history)
    session.flush()
    session.rollback()
    print(len(ann.notes), ann.kind)
    session.execute(update(User).where(User.kind == Kind.FANCY).values(worth=User.worth * 2))
    session.delete(ann)
    session.commit()
    print(session.scalars(select(User)).all(), session.scalar(select(func.count()).select_from(Note)))
    try:
        session.add(Tag(name="red"))
        session.commit()
    except exc.IntegrityError as error:
        print(error)
        session.rollback()
    for bad in (lambda: User(first=""), lambda: session.execute(text("select * from nowhere")), lambda: User(nothing=1), lambda: session.scalars(select(Tag)).one()):
        try:
            bad()
        except Exception as error:
            print(type(error).__name__, error)

tree = select(User.id, User.last).where(User.id == 1).cte("tree", recursive=True)
tree = tree.union_all(select(User.id, User.last).join(tree, User.id == tree.c.id + 1))
query = select(tree, case((tree.c.id > 5, "big"), else_="small")).where(tree.c.last.in_(["a", "b"]), exists().where(Note.user_id == tree.c.id)).limit(10).offset(5)
for dialect in (None, postgresql.dialect(), mysql.dialect()):
    print(query.compile(dialect=dialect))
print(postgresql.insert(Tag).values(name="x").on_conflict_do_nothing().returning(Tag.id).compile(dialect=postgresql.dialect()))
print(schema.CreateTable(User.__table__).compile(dialect=postgresql.dialect()), repr(User.__table__.c.worth.type))
with engine.connect() as connection:
    print(inspect(connection).get_columns("users")[0], inspect(connection).get_foreign_keys("notes"))
    print(connection.execute(text("select :a + 1, upper(:b)"), {"a": 2, "b": "x"}).one())
    print(connection.execute(insert(Tag).returning(Tag.id), [{"name": "k"}, {"name": "l"}]).all())


class Reversed(types.TypeDecorator):
    impl = String
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return value[::-1]


print(select(literal("abc", Reversed)).compile(compile_kwargs={"literal_binds": True}))
