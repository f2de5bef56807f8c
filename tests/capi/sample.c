/* A module that uses the C API broadly: two-phase initialisation, static and heap types, arguments, values, exceptions,
   buffers, calls, capsules, the lock. */

#include <Python.h>
#include <structmember.h>

/* A static type with members, computed attributes, arithmetic and a buffer. */

typedef struct {
    PyObject_HEAD
    int width;
    double ratio;
    PyObject *label;
    char bytes[4];
} Box;

static int box_init(Box *self, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"width", "ratio", "label", NULL};
    PyObject *label = Py_None;
    self->ratio = 1.5;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "i|d$O:Box", names, &self->width, &self->ratio, &label)) {
        return -1;
    }
    Py_XSETREF(self->label, Py_NewRef(label));
    memcpy(self->bytes, "abc", 4);
    return 0;
}

static void box_dealloc(Box *self) {
    Py_CLEAR(self->label);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyObject *box_repr(Box *self) {
    return PyUnicode_FromFormat("<Box %d %R %s %5d|%-4d|%04x>", self->width, self->label, "text", 42, 7, 255);
}

static PyObject *box_add(PyObject *a, PyObject *b) {
    if (!PyLong_Check(b)) {
        Py_RETURN_NOTIMPLEMENTED;
    }
    return PyLong_FromLong(((Box *)a)->width + PyLong_AsLong(b));
}

static PyObject *box_area(Box *self, void *closure) { return PyFloat_FromDouble(self->width * self->ratio); }

static int box_set_area(Box *self, PyObject *value, void *closure) {
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError, "area can't be deleted");
        return -1;
    }
    double area = PyFloat_AsDouble(value);
    if (area == -1.0 && PyErr_Occurred()) {
        return -1;
    }
    self->width = (int)area;
    return 0;
}

static PyObject *box_grow(Box *self, PyObject *const *args, Py_ssize_t count) {
    for (Py_ssize_t i = 0; i < count; i++) {
        long by = PyLong_AsLong(args[i]);
        if (by == -1 && PyErr_Occurred()) {
            return NULL;
        }
        self->width += by;
    }
    return Py_NewRef((PyObject *)self);
}

static int box_getbuffer(PyObject *self, Py_buffer *view, int flags) {
    return PyBuffer_FillInfo(view, self, ((Box *)self)->bytes, 3, 0, flags);
}

static PyMethodDef box_methods[] = {
    {"grow", (PyCFunction)(void (*)(void))box_grow, METH_FASTCALL, "grow($self, /, *by)\n--\n\nGrow by each number."},
    {NULL},
};
static PyMemberDef box_members[] = {
    {"width", T_INT, offsetof(Box, width), 0, "the width"},
    {"ratio", T_DOUBLE, offsetof(Box, ratio), READONLY, NULL},
    {"label", T_OBJECT_EX, offsetof(Box, label), 0, NULL},
    {NULL},
};
static PyGetSetDef box_getset[] = {
    {"area", (getter)box_area, (setter)box_set_area, "width times ratio", NULL},
    {NULL},
};
static PyNumberMethods box_number = {.nb_add = box_add};
static PyBufferProcs box_buffer = {box_getbuffer, NULL};
static PyTypeObject BoxType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "sample.Box",
    .tp_basicsize = sizeof(Box),
    .tp_dealloc = (destructor)box_dealloc,
    .tp_repr = (reprfunc)box_repr,
    .tp_as_number = &box_number,
    .tp_as_buffer = &box_buffer,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "Box(width, ratio=1.5, *, label=None)\n--\n\nA box.",
    .tp_methods = box_methods,
    .tp_members = box_members,
    .tp_getset = box_getset,
    .tp_init = (initproc)box_init,
    .tp_new = PyType_GenericNew,
};

/* A heap type that the collector sees, an iterator. */

typedef struct {
    PyObject_HEAD
    PyObject *callable;
    long left;
} Countdown;

static int countdown_init(Countdown *self, PyObject *args, PyObject *kwargs) {
    PyObject *callable;
    if (!PyArg_ParseTuple(args, "Ol", &callable, &self->left)) {
        return -1;
    }
    Py_XSETREF(self->callable, Py_NewRef(callable));
    return 0;
}
static int countdown_traverse(Countdown *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->callable);
    return 0;
}
static int countdown_clear(Countdown *self) {
    Py_CLEAR(self->callable);
    return 0;
}
static void countdown_dealloc(Countdown *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    countdown_clear(self);
    type->tp_free((PyObject *)self);
    Py_DECREF(type);
}
static PyObject *countdown_next(Countdown *self) {
    if (self->left <= 0) {
        return NULL;
    }
    return PyObject_CallFunction(self->callable, "l", self->left--);
}
static PyType_Slot countdown_slots[] = {
    {Py_tp_init, countdown_init}, {Py_tp_traverse, countdown_traverse}, {Py_tp_clear, countdown_clear},
    {Py_tp_dealloc, countdown_dealloc}, {Py_tp_iter, PyObject_SelfIter}, {Py_tp_iternext, countdown_next},
    {Py_tp_doc, "Counts down."}, {0, NULL},
};
static PyType_Spec countdown_spec = {
    "sample.Countdown", sizeof(Countdown), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, countdown_slots,
};

/* A type whose instances have a managed dict, made without tp_alloc, as Cython makes its functions. */

typedef struct {
    PyObject_HEAD
    long serial;
} Tagged;

static int tagged_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    return PyObject_VisitManagedDict(self, visit, arg);
}
static void tagged_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    PyObject_ClearManagedDict(self);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}
static PyObject *tagged_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    Tagged *self = PyObject_GC_New(Tagged, type);
    if (self != NULL) {
        self->serial = 1;
        PyObject_GC_Track(self);
    }
    return (PyObject *)self;
}
static PyGetSetDef tagged_getset[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL},
};
static PyType_Slot tagged_slots[] = {
    {Py_tp_new, tagged_new}, {Py_tp_traverse, tagged_traverse}, {Py_tp_dealloc, tagged_dealloc},
    {Py_tp_getset, tagged_getset}, {0, NULL},
};
static PyType_Spec tagged_spec = {
    "sample.Tagged", sizeof(Tagged), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_MANAGED_DICT, tagged_slots,
};

/* Functions. */

static PyObject *parse(PyObject *self, PyObject *args) {
    const char *text, *maybe;
    int number;
    Py_buffer view;
    int a, b;
    if (!PyArg_ParseTuple(args, "siy*(ii)z:parse", &text, &number, &view, &a, &b, &maybe)) {
        return NULL;
    }
    PyObject *result = Py_BuildValue("(sni)[ii]{s:O,s:d}s", text, view.len, number, a, b, "none", Py_None, "half", 0.5, maybe);
    PyBuffer_Release(&view);
    return result;
}

static PyObject *fail(PyObject *self, PyObject *kind) {
    switch (PyLong_AsLong(kind)) {
    case 0: return PyErr_Format(PyExc_ValueError, "%s %zd %U %T", "bad", (Py_ssize_t)-3, PyUnicode_FromString("x"), kind);
    case 1: errno = ENOENT; return PyErr_SetFromErrnoWithFilename(PyExc_OSError, "nowhere");
    case 2: PyErr_SetObject(PyExc_KeyError, kind); return NULL;
    case 3: PyErr_SetNone(PyExc_StopIteration); return NULL;
    default: return NULL;
    }
}

static PyObject *swallow(PyObject *self, PyObject *callable) {
    PyObject *result = PyObject_CallNoArgs(callable);
    if (result != NULL) {
        return result;
    }
    PyObject *raised = PyErr_GetRaisedException();
    PyObject *text = PyObject_Repr(raised);
    Py_DECREF(raised);
    return text;
}

static PyObject *unlocked(PyObject *self, PyObject *unused) {
    int inside;
    Py_BEGIN_ALLOW_THREADS
    inside = PyGILState_Check();
    PyGILState_STATE state = PyGILState_Ensure();
    inside = inside * 10 + PyGILState_Check();
    PyGILState_Release(state);
    inside = inside * 10 + PyGILState_Check();
    Py_END_ALLOW_THREADS
    return PyLong_FromLong(inside * 10 + PyGILState_Check());
}

static PyObject *fill(PyObject *self, PyObject *mapping) {
    PyObject *list = PyList_New(0), *key, *value;
    Py_ssize_t position = 0;
    while (PyDict_Next(mapping, &position, &key, &value)) {
        PyObject *pair = PyTuple_Pack(2, key, value);
        PyList_Append(list, pair);
        Py_DECREF(pair);
    }
    return list;
}

static PyObject *carry(PyObject *self, PyObject *unused) {
    static int content = 7;
    PyObject *capsule = PyCapsule_New(&content, "sample.content", NULL);
    int *found = PyCapsule_GetPointer(capsule, "sample.content");
    int value = *found;
    int wrong = PyCapsule_GetPointer(capsule, "other") == NULL;
    PyErr_Clear();
    Py_DECREF(capsule);
    return Py_BuildValue("ii", value, wrong);
}

static PyObject *real_part(PyObject *self, PyObject *object) {
    _Py_IDENTIFIER(real);
    PyObject *value = _PyObject_GetAttrId(object, &PyId_real);
    return value == NULL ? NULL : Py_BuildValue("NO", value, _PyUnicode_FromId(&PyId_real));
}

/* A type without the collector that frees by PyObject_Free, and one with it that names no tp_free of its own. Instances of the
   first are smaller than the type says. */

typedef struct {
    PyObject_HEAD
    long number;
    long unused[8];
} Plain;

static PyTypeObject PlainType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "sample.Plain",
    .tp_basicsize = sizeof(Plain),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_free = PyObject_Free,
};

static int gathered_traverse(PyObject *self, visitproc visit, void *arg) { return 0; }

static void gathered_dealloc(PyObject *self) {
    PyObject_GC_UnTrack(self);
    Py_TYPE(self)->tp_free(self);
}

static PyTypeObject GatheredType = {
    PyVarObject_HEAD_INIT(NULL, 0)
    .tp_name = "sample.Gathered",
    .tp_basicsize = sizeof(Plain),
    .tp_base = &PlainType,
    .tp_dealloc = gathered_dealloc,
    .tp_traverse = gathered_traverse,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
};

static PyObject *plain(PyObject *self, PyObject *unused) {
    PyObject *made = PyObject_Malloc(offsetof(Plain, unused));
    return made == NULL ? PyErr_NoMemory() : PyObject_Init(made, &PlainType);
}

static PyObject *gathered(PyObject *self, PyObject *unused) {
    Plain *made = PyObject_GC_New(Plain, &GatheredType);
    if (made != NULL) {
        PyObject_GC_Track(made);
    }
    return (PyObject *)made;
}

static PyMethodDef functions[] = {
    {"plain", plain, METH_NOARGS, NULL},
    {"gathered", gathered, METH_NOARGS, NULL},
    {"parse", parse, METH_VARARGS, "parse(text, number, data, pair, maybe)"},
    {"fail", fail, METH_O, NULL},
    {"swallow", swallow, METH_O, NULL},
    {"unlocked", unlocked, METH_NOARGS, NULL},
    {"fill", fill, METH_O, NULL},
    {"carry", carry, METH_NOARGS, NULL},
    {"real_part", real_part, METH_O, NULL},
    {NULL},
};

static int execute(PyObject *module) {
    if (PyType_Ready(&PlainType) < 0 || PyType_Ready(&GatheredType) < 0) {
        return -1;
    }
    if (PyModule_AddType(module, &BoxType) < 0) {
        return -1;
    }
    PyObject *type = PyType_FromModuleAndSpec(module, &countdown_spec, NULL);
    if (PyModule_Add(module, "Countdown", type) < 0) {
        return -1;
    }
    type = PyType_FromModuleAndSpec(module, &tagged_spec, NULL);
    if (PyModule_Add(module, "Tagged", type) < 0) {
        return -1;
    }
    PyObject *error = PyErr_NewException("sample.Error", PyExc_ValueError, NULL);
    if (PyModule_Add(module, "Error", error) < 0) {
        return -1;
    }
    return PyModule_AddIntConstant(module, "ANSWER", 42);
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, execute}, {0, NULL}};
static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "sample", .m_doc = "A sample.", .m_size = 0, .m_methods = functions, .m_slots = slots,
};

PyMODINIT_FUNC PyInit_sample(void) { return PyModuleDef_Init(&definition); }
