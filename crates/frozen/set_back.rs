//! Places where the library's sources were changed for another implementation, and what stands there in CPython or serves
//! a library inside the executable. Each text must occur exactly once.

/// (module, text in the library's source, text in its place)
pub const SET_BACK: &[(&str, &str, &str)] = &[
    ("sysconfig", "    return 'RustPython'  # XXX: RUSTPYTHON; For site-packages\n", "    return 'Python'\n"),
    ("site", "    return 'RustPython' # XXX: RUSTPYTHON; for site-packages\n", "    return 'Python'\n"),
    (
        "site",
        "    # XXX: RUSTPYTHON\n    return f'{userbase}/lib/rustpython{",
        "    return f'{userbase}/lib/python{",
    ),
    // As of 3.14.10: quotes in a table's name.
    (
        "sqlite3.dump",
        "VALUES('{1}')' FROM {0};\".format(\n            table_name_ident,\n",
        "VALUES('{1}')' FROM {2};\".format(\n            table_name_ident.replace(\"'\", \"''\"),\n",
    ),
    (
        "sqlite3.dump",
        "for col in column_names\n            )\n",
        "for col in column_names\n            ),\n            table_name_ident,\n",
    ),
    // The scripts are inside the executable: they are laid out on disk first.
    (
        "venv",
        "        self.install_scripts(context, path)\n",
        "        from importlib import resources\n        \
         with resources.as_file(resources.files('venv') / 'scripts') as path:\n            \
         self.install_scripts(context, str(path))\n",
    ),
];
