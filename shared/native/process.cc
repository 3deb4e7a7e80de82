// What a process needs of the operating system and Node.js cannot do. Not linked to TensorFlow, so that it can be loaded
// before it, and by processes that never load it.
//
//   load(library: string) → undefined, or what the loader says     a path, or a name that the system's loader finds
//   version(library, function, written) → number, or undefined     the version that an already loaded library returns
//   pin(cores: number[]) → undefined, or what the system says      every thread of this process runs on these from now on
//   tensorFloat32(library: string, on: boolean) → boolean          whether the loaded TensorFlow has the switch, which is set
//   exit(code: number)                                             at once, whatever threads are doing
//   map(bytes: TypedArray, fd, fileOffset, writable) → number      puts the file's pages in the place of the array's
//   unmap(bytes: TypedArray)                                       puts empty pages there again
//   lost(number) → boolean                                         whether the file became shorter than what was mapped
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <node_api.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <vector>

namespace {

std::string TextOf(napi_env env, napi_value value) {
  size_t length = 0;
  napi_get_value_string_utf8(env, value, nullptr, 0, &length);
  std::string text(length, '\0');
  napi_get_value_string_utf8(env, value, &text[0], length + 1, &length);
  return text;
}

// A library stays loaded until the process ends: any later request for its name (SONAME) gets this one, wherever it is
// looked for. Its symbols stay its own, as they would if TensorFlow had found it.
napi_value Load(napi_env env, napi_callback_info info) {
  size_t count = 1, length = 0;
  napi_value argument = nullptr, answer = nullptr;
  if (napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr) != napi_ok ||
      napi_get_value_string_utf8(env, argument, nullptr, 0, &length) != napi_ok) {
    napi_throw_type_error(env, nullptr, "load() takes a string");
    return nullptr;
  }
  if (dlopen(TextOf(env, argument).c_str(), RTLD_LAZY | RTLD_LOCAL) != nullptr) return nullptr;
  const char* error = dlerror();
  napi_create_string_utf8(env, error == nullptr ? "unknown" : error, NAPI_AUTO_LENGTH, &answer);
  return answer;
}

// Calls a library's version function, which either returns the version, or writes it and returns 0. It loads nothing: only a
// library that this process already uses is asked.
napi_value Version(napi_env env, napi_callback_info info) {
  size_t count = 3;
  napi_value arguments[3], answer = nullptr;
  bool written = false;
  if (napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr) != napi_ok || count != 3 ||
      napi_get_value_bool(env, arguments[2], &written) != napi_ok) {
    napi_throw_type_error(env, nullptr, "version() takes a library, a function and whether it writes its answer");
    return nullptr;
  }
  void* library = dlopen(TextOf(env, arguments[0]).c_str(), RTLD_LAZY | RTLD_NOLOAD);
  if (library == nullptr) return nullptr;
  if (void* function = dlsym(library, TextOf(env, arguments[1]).c_str())) {
    int number = -1;
    if (!written) {
      number = static_cast<int>(reinterpret_cast<size_t (*)()>(function)());
    } else if (reinterpret_cast<int (*)(int*)>(function)(&number) != 0) {
      number = -1;
    }
    if (number > 0) napi_create_int32(env, number, &answer);
  }
  dlclose(library);
  return answer;
}

#ifdef __linux__
// A new thread inherits its cores from the thread that starts it; the threads that are already running are moved one by one.
napi_value Pin(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument = nullptr, answer = nullptr;
  uint32_t length = 0;
  if (napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr) != napi_ok ||
      napi_get_array_length(env, argument, &length) != napi_ok) {
    napi_throw_type_error(env, nullptr, "pin() takes an array of cores");
    return nullptr;
  }
  int32_t highest = 0;
  std::vector<int32_t> cores(length, -1);
  for (uint32_t i = 0; i < length; i++) {
    napi_value element;
    if (napi_get_element(env, argument, i, &element) != napi_ok ||
        napi_get_value_int32(env, element, &cores[i]) != napi_ok || cores[i] < 0 || cores[i] > 65535) {
      napi_throw_type_error(env, nullptr, "a core is a number from 0 to 65535");
      return nullptr;
    }
    highest = std::max(highest, cores[i]);
  }
  cpu_set_t* set = CPU_ALLOC(highest + 1);
  const size_t bytes = CPU_ALLOC_SIZE(highest + 1);
  CPU_ZERO_S(bytes, set);
  for (const int32_t core : cores) CPU_SET_S(core, bytes, set);
  int error = sched_setaffinity(0, bytes, set) == 0 ? 0 : errno;
  DIR* threads = error == 0 ? opendir("/proc/self/task") : nullptr;
  if (threads == nullptr) {
    if (error == 0) error = errno;
  } else {
    while (const dirent* entry = readdir(threads)) {
      const pid_t thread = std::atoi(entry->d_name);
      // A thread that has ended meanwhile needs no cores.
      if (thread > 0 && sched_setaffinity(thread, bytes, set) != 0 && errno != ESRCH) error = errno;
    }
    closedir(threads);
  }
  CPU_FREE(set);
  if (error != 0) napi_create_string_utf8(env, strerror(error), NAPI_AUTO_LENGTH, &answer);
  return answer;
}
#endif

// Sets TensorFlow's own switch for computing float32 products on tensor cores, which round the factors to 10 bits of mantissa.
// The switch holds for the whole process; TensorFlow reads it whenever it calls cuBLAS or cuDNN.
napi_value TensorFloat32(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2], answer = nullptr;
  bool on = false;
  if (napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr) != napi_ok || count != 2 ||
      napi_get_value_bool(env, arguments[1], &on) != napi_ok) {
    napi_throw_type_error(env, nullptr, "tensorFloat32() takes a library and whether to use it");
    return nullptr;
  }
  void* switched = nullptr;
  if (void* loaded = dlopen(TextOf(env, arguments[0]).c_str(), RTLD_LAZY | RTLD_NOLOAD); loaded != nullptr) {
    for (const char* name : {"_ZN3tsl32enable_tensor_float_32_executionEb",
                             "_ZN10tensorflow32enable_tensor_float_32_executionEb"}) {
      if (switched == nullptr) switched = dlsym(loaded, name);
    }
    if (switched != nullptr) reinterpret_cast<void (*)(bool)>(switched)(on);
    dlclose(loaded);
  }
  napi_get_boolean(env, switched != nullptr, &answer);
  return answer;
}

// process.exit() waits for every thread, and so forever if one is inside a native call that does not return.
napi_value Exit(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument = nullptr;
  int32_t code = 1;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  napi_get_value_int32(env, argument, &code);
  _exit(code);
}

// ---- Files in the place of memory ----
//
// Any process that has a mapped file open for writing can shorten it, and touching a page beyond its end is SIGBUS, which
// ends a process. So the pages that are mapped are known here, and one that is gone becomes an empty page of this
// process's own: it reads zeros, and the mapping counts as lost. The table is read by the signal's handler, in whichever
// thread, so it is of atomics and never moves.

struct Region {
  std::atomic<uintptr_t> begin{0}, end{0};
  std::atomic<bool> lost{false};
};

constexpr size_t REGIONS_MAX = 4096;
Region regions[REGIONS_MAX];
std::mutex changing;
struct sigaction former;
std::atomic<bool> watching{false};

void OnLostPage(int signal, siginfo_t* info, void* context) {
  const int saved = errno;
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto at = reinterpret_cast<uintptr_t>(info->si_addr) & ~(page - 1);
  for (Region& region : regions) {
    const uintptr_t end = region.end.load();
    if (at < region.begin.load() || at >= end) continue;
    region.lost.store(true);
    if (mmap(reinterpret_cast<void*>(at), end - at, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
             0) == MAP_FAILED) {
      break;
    }
    errno = saved;
    return;
  }
  if (former.sa_flags & SA_SIGINFO) {
    former.sa_sigaction(signal, info, context);
  } else if (former.sa_handler != SIG_DFL && former.sa_handler != SIG_IGN) {
    former.sa_handler(signal);
  } else {
    // Once the handler returns, the same access ends the process, as it would without it.
    sigaction(signal, &former, nullptr);
  }
}

napi_value Fail(napi_env env, const char* what, int error) {
  const std::string message = error == 0 ? what : std::string(what) + ": " + strerror(error);
  napi_throw_error(env, nullptr, message.c_str());
  return nullptr;
}

// The whole pages that an array of a reserved memory is made of: it starts with one, and its last may be used in part.
bool PagesOf(napi_env env, napi_value array, uint8_t** data, size_t* bytes) {
  napi_typedarray_type type;
  if (napi_get_typedarray_info(env, array, &type, bytes, reinterpret_cast<void**>(data), nullptr, nullptr) != napi_ok ||
      type != napi_uint8_array || *bytes == 0) {
    return false;
  }
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  *bytes = (*bytes + page - 1) / page * page;
  return reinterpret_cast<uintptr_t>(*data) % page == 0;
}

void Forget(uintptr_t begin, uintptr_t end) {
  for (Region& region : regions) {
    if (region.begin.load() < end && begin < region.end.load()) region.begin.store(region.end.exchange(0));
  }
}

napi_value Map(napi_env env, napi_callback_info info) {
  size_t count = 4, bytes = 0;
  napi_value arguments[4], number;
  int32_t file = -1;
  int64_t offset = -1;
  bool writable = false;
  uint8_t* data = nullptr;
  struct stat status;
  if (napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr) != napi_ok || count != 4 ||
      !PagesOf(env, arguments[0], &data, &bytes) || napi_get_value_int32(env, arguments[1], &file) != napi_ok ||
      napi_get_value_int64(env, arguments[2], &offset) != napi_ok || offset < 0 ||
      napi_get_value_bool(env, arguments[3], &writable) != napi_ok) {
    napi_throw_type_error(env, nullptr, "map() takes bytes that start with a page, a file, an offset and whether to write");
    return nullptr;
  }
  if (fstat(file, &status) != 0) return Fail(env, "the file can't be looked at", errno);
  if (!S_ISREG(status.st_mode)) return Fail(env, "it is not a file", 0);
  if (static_cast<uint64_t>(status.st_size) < static_cast<uint64_t>(offset) + bytes) {
    return Fail(env, "the file is too short", 0);
  }
  std::lock_guard<std::mutex> lock(changing);
  const auto begin = reinterpret_cast<uintptr_t>(data), end = begin + bytes;
  size_t free = 0;
  Forget(begin, end);
  while (free < REGIONS_MAX && regions[free].end.load() != 0) free++;
  if (free == REGIONS_MAX) return Fail(env, "too many files are mapped", 0);
  if (!watching.exchange(true)) {
    struct sigaction action = {};
    action.sa_sigaction = OnLostPage;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    sigaction(SIGBUS, &action, &former);
  }
  // V8 makes the pages of a memory that grows writable, which the system refuses for shared pages of a file that is open
  // for reading. Private ones show what is in the file as long as nobody here writes to them.
  void* mapped = mmap(data, bytes, writable ? PROT_READ | PROT_WRITE : PROT_READ,
                      (writable ? MAP_SHARED : MAP_PRIVATE) | MAP_FIXED, file, offset);
  if (mapped == MAP_FAILED) return Fail(env, "the system maps no file there", errno);
  regions[free].lost.store(false);
  regions[free].begin.store(begin);
  regions[free].end.store(end);
  napi_create_uint32(env, static_cast<uint32_t>(free), &number);
  return number;
}

napi_value Unmap(napi_env env, napi_callback_info info) {
  size_t count = 1, bytes = 0;
  napi_value array;
  uint8_t* data = nullptr;
  if (napi_get_cb_info(env, info, &count, &array, nullptr, nullptr) != napi_ok || count != 1 ||
      !PagesOf(env, array, &data, &bytes)) {
    napi_throw_type_error(env, nullptr, "unmap() takes bytes that start with a page");
    return nullptr;
  }
  std::lock_guard<std::mutex> lock(changing);
  const auto begin = reinterpret_cast<uintptr_t>(data);
  if (mmap(data, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) ==
      MAP_FAILED) {
    return Fail(env, "the system gives no memory", errno);
  }
  Forget(begin, begin + bytes);
  return nullptr;
}

napi_value Lost(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument = nullptr, answer;
  uint32_t number = REGIONS_MAX;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  napi_get_value_uint32(env, argument, &number);
  napi_get_boolean(env, number < REGIONS_MAX && regions[number].lost.load(), &answer);
  return answer;
}

napi_value Initialize(napi_env env, napi_value exports) {
  const auto add = [&](const char* name, napi_callback callback) {
    napi_value function;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function);
    napi_set_named_property(env, exports, name, function);
  };
  add("load", Load);
  add("version", Version);
#ifdef __linux__
  add("pin", Pin);
#endif
  add("tensorFloat32", TensorFloat32);
  add("exit", Exit);
  add("map", Map);
  add("unmap", Unmap);
  add("lost", Lost);
  return exports;
}

}  // namespace

NAPI_MODULE(isobatch_process, Initialize)
