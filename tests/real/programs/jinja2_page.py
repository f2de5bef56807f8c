"""jinja2: loops, macros, filters, inheritance, a sandbox, async rendering, errors with their template lines."""
import asyncio
import traceback

import jinja2
from jinja2.sandbox import SandboxedEnvironment

PAGES = {
    "base.html": "<html><title>{% block title %}Base{% endblock %}</title>{% block body %}{% endblock %}</html>",
    "macros.html": "{% macro field(name, value='', type='text') -%}<input type={{ type }} name={{ name }} value='{{ value|e }}'>{%- endmacro %}",
    "page.html": """{% extends 'base.html' %}{% import 'macros.html' as forms %}
{% block title %}{{ super() }}: {{ title|title }}{% endblock %}
{% block body %}
{%- for row in rows recursive %}
{{ '  ' * loop.depth0 }}{{ loop.index }}/{{ loop.length }} {{ row.name|upper }} {{ loop.cycle('odd', 'even') }}
{%- if row.children is defined %}{{ loop(row.children) }}{% endif %}
{%- else %}nothing{% endfor %}
{{ forms.field('user', '<&"\\'>') }} {{ forms.field('pass', type='password') }}
{% set ns = namespace(total=0) %}{% for n in range(5) if n is odd %}{% set ns.total = ns.total + n %}{% endfor %}{{ ns.total }}
{{ numbers|map('float')|sum|round(2) }} {{ words|groupby(0)|list }} {{ words|batch(2, '-')|list }} {{ words|join(', ', attribute=1) }}
{{ {'b': 1, 'a': [2, none, true]}|tojson }} {{ 1234567|filesizeformat }} {{ 'a long sentence to wrap'|wordwrap(8) }}
{{ 'http://example.org is'|urlize }} {{ '%05.1f'|format(3.14159) }} {{ numbers|sort(reverse=true)|first }} {{ '<b>x</b>'|striptags|safe }}
{% filter indent(2) %}one
two{% endfilter %}
{% call(item) each(numbers) %}[{{ item }}]{% endcall %}
{% endblock %}""",
    "broken.html": "line one\n{{ 1 / zero }}\n",
    "syntax.html": "a\nb {% if %}",
}


@jinja2.pass_context
def each(context, items, caller):
    return context["title"] + "".join(caller(item) for item in items)


environment = jinja2.Environment(loader=jinja2.DictLoader(PAGES), autoescape=True, undefined=jinja2.StrictUndefined)
environment.globals["each"] = each
rows = [{"name": "a", "children": [{"name": "b"}, {"name": "c", "children": [{"name": "d"}]}]}, {"name": "é<"}]
print(environment.get_template("page.html").render(title="the page", rows=rows, numbers=[3, 1.5, 2], words=["ax", "by", "az"]))

for name in ["broken.html", "syntax.html", "missing.html"]:
    try:
        print(environment.get_template(name).render(zero=0))
    except Exception as error:
        print(type(error).__name__, error)
        print([(frame.name, frame.lineno, frame.line) for frame in traceback.extract_tb(error.__traceback__) if "html" in frame.filename])
try:
    environment.from_string("{{ nothing.at.all }}").render()
except jinja2.UndefinedError as error:
    print(error)
try:
    SandboxedEnvironment().from_string("{{ ''.__class__.__mro__ }}").render()
except jinja2.exceptions.SecurityError as error:
    print(error)


async def numbers():
    for number in range(3):
        await asyncio.sleep(0)
        yield number


template = jinja2.Environment(enable_async=True).from_string("{% for n in numbers() %}{{ n * 2 }} {% endfor %}")
print(asyncio.run(template.render_async(numbers=numbers)))
print(environment.compile("{% for a in b %}{{ a|e }}{% endfor %}", raw=True))
