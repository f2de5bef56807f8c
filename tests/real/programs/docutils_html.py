"""docutils: reStructuredText to HTML, LaTeX, XML, ODT parts, manual pages; the errors of a bad document."""
import pathlib

import docutils
from docutils.core import publish_doctree, publish_string

SOURCE = """
=====
Title
=====
:Author: Someone
:Version: $Revision: 1 $

.. contents::
.. sectnum::

First *section* |sub| [1]_ [CIT]_
=================================
A para with ``literal``, **strong**, :sup:`2`, `link <http://example.org>`_, target_, and a footnote [#auto]_.

.. _target:
.. |sub| replace:: *replaced*
.. [1] foot
.. [#auto] automatic
.. [CIT] citation

- item

  1. nested
  #. auto

     term : class
         definition

+-----+-----+     
| a   | b   |
+=====+=====+
| 1   | 2   |
|     +-----+
|     | 3   |
+-----+-----+

=====  =====
A      B
=====  =====
x      y
=====  =====

.. note:: A note.
   :class: special

.. code:: python
   :number-lines: 3

   def f(x):
       return x ** 2

.. math:: \\sum_{i=0}^n x_i^2 = \\frac{1}{2}

.. csv-table:: CSV
   :header: "a", "b"

   1, "two"

.. image:: x.png
   :alt: alternative
   :width: 50%

Option list
-----------
-a, --all=VALUE   does all
:field: value

>>> print(1)
1

| line
|   block

.. unknown:: x

`Broken* *markup
"""
settings = {"report_level": 2, "warning_stream": False, "_disable_config": True, "datestamp": None, "generator": False}
for writer in ("html5", "html4", "latex", "xml", "pseudoxml", "manpage", "s5"):
    print(writer, publish_string(SOURCE, source_path="page.rst", writer=writer, settings_overrides=settings).decode())
for path in sorted((pathlib.Path(docutils.__file__).parent / "parsers/rst/include").glob("*.txt"))[:8]:
    tree = publish_doctree(path.read_text(), source_path=path.name, settings_overrides=settings)
    print(path.name, len(tree.children), len(list(tree.findall())), tree.astext()[:80])
