"""mimesis: the same data from the same seed, in several locales."""
from mimesis import Field, Generic, Schema
from mimesis.locales import Locale

for locale in (Locale.EN, Locale.DE, Locale.RU, Locale.JA, Locale.PT_BR):
    generic = Generic(locale, seed=0xBEEF)
    print(locale, generic.person.full_name(), generic.person.email(), generic.address.address(), generic.datetime.date(), generic.text.sentence())
    print(generic.finance.company(), generic.numeric.floats(n=3), generic.internet.ip_v6(), generic.cryptographic.token_hex(8), generic.code.isbn())
field = Field(Locale.EN, seed=1)
schema = Schema(
    schema=lambda: {"id": field("increment"), "uuid": field("uuid"), "name": field("text.word"), "when": field("timestamp"), "owner": {"email": field("person.email", domains=["example.org"])}},
    iterations=5,
)
for row in schema.create():
    print(row)
