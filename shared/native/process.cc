// What a process needs of the operating system and Node.js cannot do. Not linked to TensorFlow, so that it can be loaded
// before it, and by processes that never load it.
//
//   load(library: string) → undefined, or what the loader says     a path, or a name that the system's loader finds
//   exit(code: number)                                             at once, whatever threads are doing
//   map(bytes: TypedArray, fd, fileOffset, writable) → number      puts the file's pages in the place of the array's
//   unmap(bytes: TypedArray)                                       puts empty pages there again
//   lost(number) → boolean                                         whether the file became shorter than what was mapped
#include <dlfcn.h>
#include <errno.h>
#include <node_api.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <mutex>
#include <string>

namespace {

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
  std::string library(length, '\0');
  napi_get_value_string_utf8(env, argument, &library[0], length + 1, &length);
  if (dlopen(library.c_str(), RTLD_LAZY | RTLD_LOCAL) != nullptr) return nullptr;
  const char* error = dlerror();
  napi_create_string_utf8(env, error == nullptr ? "unknown" : error, NAPI_AUTO_LENGTH, &answer);
  return answer;
}

// process.exit() waits for every thread, and so for ever where one is inside a native call that does not return.
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
// Whoever else has a mapped file open for writing can make it shorter, and touching a page beyond its end is SIGBUS, which
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
  if (!S_ISREG(status.st_mode)) return Fail(env, "it is no file", 0);
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
  add("exit", Exit);
  add("map", Map);
  add("unmap", Unmap);
  add("lost", Lost);
  return exports;
}

}  // namespace

NAPI_MODULE(isobatch_process, Initialize)
