/* What binary wheels do that few extensions need: struct sequences, contexts, trace functions, pickle buffers, and a type
   that is given an attribute before it is ready, as mypyc does. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyStructSequence_Field fields[] = {{"months", "how many months"}, {"days", NULL}, {"hidden", "not an item"}, {NULL, NULL}};
static PyStructSequence_Desc description = {"wheels.interval", "months and days", fields, 2};
static PyTypeObject IntervalType;

static PyObject *interval(PyObject *self, PyObject *unused) {
    PyObject *made = PyStructSequence_New(&IntervalType);
    for (Py_ssize_t i = 0; made && i < 3; i++) {
        PyStructSequence_SetItem(made, i, PyLong_FromSsize_t(i * 10));
    }
    return made;
}

static PyObject *hidden_of(PyObject *self, PyObject *object) {
    PyObject *item = PyStructSequence_GetItem(object, 2);
    return Py_XNewRef(item);
}

static PyObject *within(PyObject *self, PyObject *args) {
    PyObject *context, *function;
    if (!PyArg_ParseTuple(args, "OO", &context, &function) || PyContext_Enter(context) < 0) {
        return NULL;
    }
    PyObject *result = PyObject_CallNoArgs(function);
    if (PyContext_Exit(context) < 0) {
        Py_CLEAR(result);
    }
    return result;
}

static PyObject *leave(PyObject *self, PyObject *context) {
    return PyContext_Exit(context) < 0 ? NULL : Py_NewRef(Py_None);
}

static int count(PyObject *list, PyFrameObject *frame, int what, PyObject *argument) {
    PyObject *number = PyLong_FromLong(what);
    int status = PyList_Append(list, number);
    Py_DECREF(number);
    return status;
}

static PyObject *trace(PyObject *self, PyObject *args) {
    PyObject *list, *function;
    int profile;
    if (!PyArg_ParseTuple(args, "OOp", &list, &function, &profile)) {
        return NULL;
    }
    (profile ? PyEval_SetProfile : PyEval_SetTrace)(count, list);
    PyObject *result = PyObject_CallNoArgs(function);
    (profile ? PyEval_SetProfile : PyEval_SetTrace)(NULL, NULL);
    return result;
}

static PyObject *buffer(PyObject *self, PyObject *object) {
    PyObject *made = PyPickleBuffer_FromObject(object);
    if (made == NULL) {
        return NULL;
    }
    const Py_buffer *view = PyPickleBuffer_GetBuffer(made);
    PyObject *result = Py_BuildValue("niO", view->len, view->readonly, Py_TYPE(made));
    if (PyPickleBuffer_Release(made) < 0 || PyPickleBuffer_GetBuffer(made) != NULL) {
        Py_CLEAR(result);
    }
    PyErr_Clear();
    Py_DECREF(made);
    return result;
}

static PyTypeObject EarlyType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "wheels.Early",
    .tp_basicsize = sizeof(PyObject),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = PyType_GenericNew,
};

static PyMethodDef functions[] = {
    {"interval", interval, METH_NOARGS, NULL}, {"hidden_of", hidden_of, METH_O, NULL}, {"within", within, METH_VARARGS, NULL},
    {"leave", leave, METH_O, NULL},            {"trace", trace, METH_VARARGS, NULL},   {"buffer", buffer, METH_O, NULL},
    {NULL},
};

static int execute(PyObject *module) {
    Py_SET_TYPE((PyObject *)&EarlyType, &PyType_Type);
    if (PyObject_SetAttrString((PyObject *)&EarlyType, "early", Py_True) < 0 || PyModule_AddType(module, &EarlyType) < 0) {
        return -1;
    }
    if (PyStructSequence_InitType2(&IntervalType, &description) < 0) {
        return -1;
    }
    return PyModule_AddObjectRef(module, "IntervalType", (PyObject *)&IntervalType);
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, execute}, {0, NULL}};
static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "wheels", .m_size = 0, .m_methods = functions, .m_slots = slots,
};

PyMODINIT_FUNC PyInit_wheels(void) { return PyModuleDef_Init(&definition); }
