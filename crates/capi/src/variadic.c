/* C-variadic functions of the API (C API manual, "Parsing arguments and building values"). Stable Rust can't define
   them: each here makes a va_list and hands it to Rust, which reads it through the accessors below. */

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

typedef struct object PyObject;
typedef ptrdiff_t Py_ssize_t;

typedef struct {
    va_list list;
} Arguments;

int taipan_next_int(Arguments *a) { return va_arg(a->list, int); }
long taipan_next_long(Arguments *a) { return va_arg(a->list, long); }
long long taipan_next_long_long(Arguments *a) { return va_arg(a->list, long long); }
Py_ssize_t taipan_next_size(Arguments *a) { return va_arg(a->list, Py_ssize_t); }
double taipan_next_double(Arguments *a) { return va_arg(a->list, double); }
void *taipan_next_pointer(Arguments *a) { return va_arg(a->list, void *); }

/* Runs `expression`, which reads `&args`, on the arguments behind `last`. */
#define WITH_ARGUMENTS(type, last, expression) \
    do {                                       \
        Arguments args;                        \
        va_start(args.list, last);             \
        type result = (expression);            \
        va_end(args.list);                     \
        return result;                         \
    } while (0)

/* The same for functions that are given a va_list. */
#define WITH_LIST(type, given, expression) \
    do {                                   \
        Arguments args;                    \
        va_copy(args.list, given);         \
        type result = (expression);        \
        va_end(args.list);                 \
        return result;                     \
    } while (0)

/* Argument parsing. */

int taipan_parse(PyObject *object, int tuple, const char *format, Arguments *args);
int taipan_parse_keywords(PyObject *object, PyObject *keywords, const char *format, char *const *names, Arguments *args);
int taipan_unpack(PyObject *object, const char *name, Py_ssize_t min, Py_ssize_t max, Arguments *args);

int PyArg_Parse(PyObject *object, const char *format, ...) { WITH_ARGUMENTS(int, format, taipan_parse(object, 0, format, &args)); }
int _PyArg_Parse_SizeT(PyObject *object, const char *format, ...) { WITH_ARGUMENTS(int, format, taipan_parse(object, 0, format, &args)); }
int PyArg_ParseTuple(PyObject *tuple, const char *format, ...) { WITH_ARGUMENTS(int, format, taipan_parse(tuple, 1, format, &args)); }
int _PyArg_ParseTuple_SizeT(PyObject *tuple, const char *format, ...) { WITH_ARGUMENTS(int, format, taipan_parse(tuple, 1, format, &args)); }
int PyArg_VaParse(PyObject *tuple, const char *format, va_list list) { WITH_LIST(int, list, taipan_parse(tuple, 1, format, &args)); }
int _PyArg_VaParse_SizeT(PyObject *tuple, const char *format, va_list list) { WITH_LIST(int, list, taipan_parse(tuple, 1, format, &args)); }

int PyArg_ParseTupleAndKeywords(PyObject *tuple, PyObject *keywords, const char *format, char *const *names, ...) {
    WITH_ARGUMENTS(int, names, taipan_parse_keywords(tuple, keywords, format, names, &args));
}
int _PyArg_ParseTupleAndKeywords_SizeT(PyObject *tuple, PyObject *keywords, const char *format, char *const *names, ...) {
    WITH_ARGUMENTS(int, names, taipan_parse_keywords(tuple, keywords, format, names, &args));
}
int PyArg_VaParseTupleAndKeywords(PyObject *tuple, PyObject *keywords, const char *format, char *const *names, va_list list) {
    WITH_LIST(int, list, taipan_parse_keywords(tuple, keywords, format, names, &args));
}
int _PyArg_VaParseTupleAndKeywords_SizeT(PyObject *tuple, PyObject *keywords, const char *format, char *const *names, va_list list) {
    WITH_LIST(int, list, taipan_parse_keywords(tuple, keywords, format, names, &args));
}
int PyArg_UnpackTuple(PyObject *tuple, const char *name, Py_ssize_t min, Py_ssize_t max, ...) {
    WITH_ARGUMENTS(int, max, taipan_unpack(tuple, name, min, max, &args));
}

/* Building values and calling with them. */

PyObject *taipan_build(const char *format, Arguments *args);
PyObject *taipan_call(PyObject *callable, const char *format, Arguments *args);
PyObject *taipan_call_method(PyObject *object, const char *name, const char *format, Arguments *args);
PyObject *taipan_call_objects(PyObject *callable, Arguments *args);
PyObject *taipan_call_method_objects(PyObject *object, PyObject *name, Arguments *args);
PyObject *taipan_pack(Py_ssize_t count, Arguments *args);
int taipan_audit(const char *event, const char *format, Arguments *args);

PyObject *Py_BuildValue(const char *format, ...) { WITH_ARGUMENTS(PyObject *, format, taipan_build(format, &args)); }
PyObject *_Py_BuildValue_SizeT(const char *format, ...) { WITH_ARGUMENTS(PyObject *, format, taipan_build(format, &args)); }
PyObject *Py_VaBuildValue(const char *format, va_list list) { WITH_LIST(PyObject *, list, taipan_build(format, &args)); }
PyObject *_Py_VaBuildValue_SizeT(const char *format, va_list list) { WITH_LIST(PyObject *, list, taipan_build(format, &args)); }

PyObject *PyObject_CallFunction(PyObject *callable, const char *format, ...) {
    WITH_ARGUMENTS(PyObject *, format, taipan_call(callable, format, &args));
}
PyObject *_PyObject_CallFunction_SizeT(PyObject *callable, const char *format, ...) {
    WITH_ARGUMENTS(PyObject *, format, taipan_call(callable, format, &args));
}
PyObject *PyEval_CallFunction(PyObject *callable, const char *format, ...) {
    WITH_ARGUMENTS(PyObject *, format, taipan_call(callable, format, &args));
}
PyObject *PyObject_CallMethod(PyObject *object, const char *name, const char *format, ...) {
    WITH_ARGUMENTS(PyObject *, format, taipan_call_method(object, name, format, &args));
}
PyObject *_PyObject_CallMethod_SizeT(PyObject *object, const char *name, const char *format, ...) {
    WITH_ARGUMENTS(PyObject *, format, taipan_call_method(object, name, format, &args));
}
PyObject *PyEval_CallMethod(PyObject *object, const char *name, const char *format, ...) {
    WITH_ARGUMENTS(PyObject *, format, taipan_call_method(object, name, format, &args));
}
PyObject *PyObject_CallFunctionObjArgs(PyObject *callable, ...) {
    WITH_ARGUMENTS(PyObject *, callable, taipan_call_objects(callable, &args));
}
PyObject *PyObject_CallMethodObjArgs(PyObject *object, PyObject *name, ...) {
    WITH_ARGUMENTS(PyObject *, name, taipan_call_method_objects(object, name, &args));
}
PyObject *PyTuple_Pack(Py_ssize_t count, ...) { WITH_ARGUMENTS(PyObject *, count, taipan_pack(count, &args)); }
int PySys_Audit(const char *event, const char *format, ...) { WITH_ARGUMENTS(int, format, taipan_audit(event, format, &args)); }

/* Formatting. */

PyObject *taipan_format(const char *format, Arguments *args);
PyObject *taipan_format_bytes(const char *format, Arguments *args);
PyObject *taipan_format_error(PyObject *exception, const char *format, Arguments *args);
PyObject *taipan_format_error_from_cause(PyObject *exception, const char *format, Arguments *args);
void taipan_format_unraisable(const char *format, Arguments *args);
int taipan_format_warning(PyObject *category, Py_ssize_t level, const char *format, Arguments *args);
int taipan_format_resource_warning(PyObject *source, Py_ssize_t level, const char *format, Arguments *args);
int taipan_format_warning_explicit(PyObject *category, const char *filename, int line, const char *module, PyObject *registry,
                                   const char *format, Arguments *args);
int taipan_format_writer(void *writer, const char *format, Arguments *args);
void taipan_format_stream(int error_stream, const char *format, Arguments *args);
void taipan_write_stream(int error_stream, const char *text);

PyObject *PyUnicode_FromFormat(const char *format, ...) { WITH_ARGUMENTS(PyObject *, format, taipan_format(format, &args)); }
PyObject *PyUnicode_FromFormatV(const char *format, va_list list) { WITH_LIST(PyObject *, list, taipan_format(format, &args)); }
PyObject *PyBytes_FromFormat(const char *format, ...) { WITH_ARGUMENTS(PyObject *, format, taipan_format_bytes(format, &args)); }
PyObject *PyBytes_FromFormatV(const char *format, va_list list) { WITH_LIST(PyObject *, list, taipan_format_bytes(format, &args)); }
PyObject *PyErr_Format(PyObject *exception, const char *format, ...) {
    WITH_ARGUMENTS(PyObject *, format, taipan_format_error(exception, format, &args));
}
PyObject *PyErr_FormatV(PyObject *exception, const char *format, va_list list) {
    WITH_LIST(PyObject *, list, taipan_format_error(exception, format, &args));
}
PyObject *_PyErr_FormatFromCause(PyObject *exception, const char *format, ...) {
    WITH_ARGUMENTS(PyObject *, format, taipan_format_error_from_cause(exception, format, &args));
}
int PyErr_WarnFormat(PyObject *category, Py_ssize_t level, const char *format, ...) {
    WITH_ARGUMENTS(int, format, taipan_format_warning(category, level, format, &args));
}
int PyErr_ResourceWarning(PyObject *source, Py_ssize_t level, const char *format, ...) {
    WITH_ARGUMENTS(int, format, taipan_format_resource_warning(source, level, format, &args));
}
int PyErr_WarnExplicitFormat(PyObject *category, const char *filename, int line, const char *module, PyObject *registry,
                             const char *format, ...) {
    WITH_ARGUMENTS(int, format, taipan_format_warning_explicit(category, filename, line, module, registry, format, &args));
}
int PyUnicodeWriter_Format(void *writer, const char *format, ...) {
    WITH_ARGUMENTS(int, format, taipan_format_writer(writer, format, &args));
}
void PyErr_FormatUnraisable(const char *format, ...) {
    Arguments args;
    va_start(args.list, format);
    taipan_format_unraisable(format, &args);
    va_end(args.list);
}
void PySys_FormatStdout(const char *format, ...) {
    Arguments args;
    va_start(args.list, format);
    taipan_format_stream(0, format, &args);
    va_end(args.list);
}
void PySys_FormatStderr(const char *format, ...) {
    Arguments args;
    va_start(args.list, format);
    taipan_format_stream(1, format, &args);
    va_end(args.list);
}

/* The C library's own formats. */

int PyOS_vsnprintf(char *buffer, size_t size, const char *format, va_list list) {
    int length = vsnprintf(buffer, size, format, list);
    if (size > 0) {
        buffer[size - 1] = '\0';
    }
    return length;
}
int PyOS_snprintf(char *buffer, size_t size, const char *format, ...) {
    va_list list;
    va_start(list, format);
    int length = PyOS_vsnprintf(buffer, size, format, list);
    va_end(list);
    return length;
}

static void write_stream(int error_stream, const char *format, va_list list) {
    char text[1001];
    int length = vsnprintf(text, sizeof text, format, list);
    taipan_write_stream(error_stream, text);
    if (length < 0 || length >= (int)sizeof text) {
        taipan_write_stream(error_stream, "... truncated");
    }
}
void PySys_WriteStdout(const char *format, ...) {
    va_list list;
    va_start(list, format);
    write_stream(0, format, list);
    va_end(list);
}
void PySys_WriteStderr(const char *format, ...) {
    va_list list;
    va_start(list, format);
    write_stream(1, format, list);
    va_end(list);
}

/* A `FILE *` is opaque to Rust. */

int taipan_write_file(FILE *file, const char *text, size_t length) {
    return fwrite(text, 1, length, file) == length && !ferror(file) ? 0 : -1;
}
