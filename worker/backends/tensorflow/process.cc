// What a process that computes on TensorFlow needs and Node.js cannot do. Not linked to TensorFlow, so that it can be loaded
// before it.
//
//   load(library: string) → undefined, or what the loader says     a path, or a name that the system's loader finds
//   exit(code: number)                                             at once, whatever threads are doing
#include <dlfcn.h>
#include <node_api.h>
#include <unistd.h>

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

napi_value Initialize(napi_env env, napi_value exports) {
  const auto add = [&](const char* name, napi_callback callback) {
    napi_value function;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function);
    napi_set_named_property(env, exports, name, function);
  };
  add("load", Load);
  add("exit", Exit);
  return exports;
}

}  // namespace

NAPI_MODULE(isobatch_process, Initialize)
