/* SPDX-License-Identifier: Apache-2.0 */
#include "model/pickle.h"

#include <string.h>

/* What an import can do. Lists of what is dangerous always lag behind: what is on neither list is a warning,
 * and nothing but the harmless may count as safe. */
struct known {
    const char *module;
    const char *names; /* " a b " each between spaces; NULL: all of the module and of those below it */
};

static const struct known HARMLESS[] = {
    {"collections", " OrderedDict "},
    {"torch", " LongStorage FloatStorage HalfStorage DoubleStorage BFloat16Storage BoolStorage CharStorage "
              "ShortStorage IntStorage ByteStorage QInt8Storage QInt32Storage QUInt8Storage QUInt4x2Storage "
              "QUInt2x4Storage ComplexFloatStorage ComplexDoubleStorage float16 float32 float64 bfloat16 "
              "int8 int16 "
              "int32 int64 uint8 bool Size device "},
    {"torch._utils", " _rebuild_tensor_v2 _rebuild_tensor _rebuild_parameter "},
    {"torch.nn.parameter", " Parameter "},
    {"numpy", " dtype ndarray "},
    {"numpy.core.multiarray", " _reconstruct scalar "},
    {"numpy._core.multiarray", " _reconstruct scalar "},
};

static const struct known DANGEROUS[] = {
    {"__builtin__",
        " eval exec execfile compile getattr setattr delattr apply open file breakpoint __import__ globals "
        "locals vars input raw_input map filter reload "},
    {"builtins",
        " eval exec execfile compile getattr setattr delattr apply open file breakpoint __import__ globals "
        "locals vars input map filter "},
    {"operator", " attrgetter itemgetter methodcaller "},
    {"_operator", " attrgetter itemgetter methodcaller "},
    {"functools", " partial reduce "},
    {"types", " CodeType FunctionType "},
    {"torch", " load compile "},
    {"torch.serialization", " load "},
    {"torch.storage", " _load_from_bytes "}, /* a pickle within */
    {"torch.hub", NULL},
    {"torch.utils.cpp_extension", NULL},
    {"torch.utils._config_module", NULL},
    {"torch._dynamo", NULL},
    {"torch._inductor", NULL},
    {"torch.jit", " load "},
    {"torch.distributed.rpc", NULL},
    {"numpy", " load memmap fromfile "},
    {"numpy.testing", NULL},
    {"numpy.f2py", NULL},
    {"numpy.distutils", NULL},
    {"pandas", " read_pickle eval "},
    {"joblib", " load "},
    {"dill", " load loads "},
    {"_io", NULL},
    {"io", NULL},
    {"logging", " FileHandler "},
    {"logging.config", NULL},
    {"pkgutil", " resolve_name "},
    {"zipfile", NULL},
    {"tarfile", NULL},
    {"distutils", NULL},
    {"setuptools", NULL},
    {"requests", NULL},
    {"httpx", NULL},
    {"urllib", NULL},
    {"urllib2", NULL},
    {"http", NULL},
    {"httplib", NULL},
    {"aiohttp", NULL},
    {"asyncio", NULL},
    {"ftplib", NULL},
    {"smtplib", NULL},
    {"socket", NULL},
    {"_socket", NULL},
    {"socketserver", NULL},
    {"ssl", NULL},
    {"xmlrpc", NULL},
    {"webbrowser", NULL},
    {"os", NULL},
    {"posix", NULL},
    {"nt", NULL},
    {"posixpath", NULL},
    {"ntpath", NULL},
    {"pathlib", NULL},
    {"sys", NULL},
    {"subprocess", NULL},
    {"_posixsubprocess", NULL},
    {"multiprocessing", NULL},
    {"concurrent", NULL},
    {"threading", NULL},
    {"_thread", NULL},
    {"signal", NULL},
    {"shutil", NULL},
    {"tempfile", NULL},
    {"fileinput", NULL},
    {"commands", NULL},
    {"popen2", NULL},
    {"pty", NULL},
    {"pexpect", NULL},
    {"platform", NULL},
    {"ctypes", NULL},
    {"_ctypes", NULL},
    {"cffi", NULL},
    {"mmap", NULL},
    {"runpy", NULL},
    {"imp", NULL},
    {"importlib", NULL},
    {"_frozen_importlib", NULL},
    {"zipimport", NULL},
    {"code", NULL},
    {"codeop", NULL},
    {"idlelib", NULL},
    {"lib2to3", NULL},
    {"pickle", NULL},
    {"_pickle", NULL},
    {"cPickle", NULL},
    {"cloudpickle", NULL},
    {"shelve", NULL},
    {"marshal", NULL},
    {"copyreg", " add_extension "},
    {"pdb", NULL},
    {"bdb", NULL},
    {"trace", NULL},
    {"profile", NULL},
    {"cProfile", NULL},
    {"timeit", NULL},
    {"doctest", NULL},
    {"unittest", NULL},
    {"test", NULL},
    {"pytest", NULL},
    {"pydoc", NULL},
    {"pip", NULL},
    {"ensurepip", NULL},
    {"venv", NULL},
    {"uuid", NULL},
    {"_pyrepl", NULL},
    {"_osx_support", NULL},
    {"_aix_support", NULL},
    {"inspect", NULL},
    {"gc", NULL},
    {"builtin", NULL},
};

static bool has_name(const char *names, const char *name) {
    size_t len = strlen(name);
    for (const char *at = names; len && (at = strstr(at, name)); at++)
        if (at > names && at[-1] == ' ' && at[len] == ' ')
            return true;
    return false;
}

static bool matches(const struct known *known, const char *module, const char *name) {
    size_t len = strlen(known->module);
    if (strncmp(known->module, module, len))
        return false;
    if (!known->names)
        return module[len] == '\0' || module[len] == '.';
    /* "OrderedDict.x.y" walks through attributes: not the name that is known. Towards danger the first part
     * counts. */
    return module[len] == '\0' && has_name(known->names, name);
}

enum finding_level pickle_import_level(const char *module, const char *name) {
    char first[128];
    const char *dot = strchr(name, '.');
    size_t len = dot ? (size_t)(dot - name) : strlen(name);
    if (len >= sizeof first)
        return FINDING_DANGER;
    memcpy(first, name, len);
    first[len] = '\0';
    for (size_t i = 0; i < sizeof DANGEROUS / sizeof *DANGEROUS; i++)
        if (matches(&DANGEROUS[i], module, first))
            return FINDING_DANGER;
    for (size_t i = 0; i < sizeof HARMLESS / sizeof *HARMLESS; i++)
        if (matches(&HARMLESS[i], module, name))
            return FINDING_OK;
    /* From a module that holds others as attributes ("os.path" of "shutil") anything can be reached. */
    return dot ? FINDING_DANGER : FINDING_WARNING;
}
