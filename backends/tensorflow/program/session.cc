// Runs graphs of TensorFlow in one call each, over numbers in JavaScript's typed arrays, which the package's own binding
// can't. Inputs are copied from the arrays' memory, and outputs to it; shared memory works, too.
//
//   open(graph: Uint8Array, config: Uint8Array) → session        a GraphDef and a ConfigProto
//   extend(session, graph: Uint8Array, outer: string[])           more nodes, which may take the outputs `outer`
//   prepare(session, feeds: {name, type, shape, borrowed?}[], fetches: string[], targets: string[]) → number of the call
//   run(session, call, inputs: TypedArray[][], outputs: TypedArray[][], unchecked?: boolean)
//       → whether all outputs of float32 are finite; true where they are unchecked
//   runLater(the same) → a promise of it: the call runs in another thread; meanwhile the session can do nothing else
//   assign(session, call, read, inputs: TypedArray[][])           a call that sets variables, and one that reads them
//   close(session)
//
// Names are "node" or "node:output". An input or output is one tensor, whose elements are stored in one array after the
// other. A borrowed input is one array, which TensorFlow reads in place, and only while the call runs; the graph must copy
// it. A session belongs to the thread that opened it. Every failure is a JavaScript Error, thrown or rejected with.
#include <node_api.h>
#include <tensorflow/c/c_api.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

template <typename T, void (*Delete)(T*)>
struct Deleter {
  void operator()(T* pointer) const { Delete(pointer); }
};
template <typename T, void (*Delete)(T*)>
using Owned = std::unique_ptr<T, Deleter<T, Delete>>;

using Status = Owned<TF_Status, TF_DeleteStatus>;
using Graph = Owned<TF_Graph, TF_DeleteGraph>;
using Buffer = Owned<TF_Buffer, TF_DeleteBuffer>;
using Tensor = Owned<TF_Tensor, TF_DeleteTensor>;
using SessionOptions = Owned<TF_SessionOptions, TF_DeleteSessionOptions>;
using ImportOptions = Owned<TF_ImportGraphDefOptions, TF_DeleteImportGraphDefOptions>;

void Check(const Status& status) {
  if (TF_GetCode(status.get()) != TF_OK) throw std::runtime_error(TF_Message(status.get()));
}

void DeleteSession(TF_Session* session) {
  Status status(TF_NewStatus());
  TF_CloseSession(session, status.get());
  TF_DeleteSession(session, status.get());
}

struct Feed {
  TF_Output output;
  TF_DataType type;
  std::vector<int64_t> shape;
  size_t bytes;
  bool borrowed;
  // Made by the first run and kept: a new one for each run would cost more than the copy into it. TensorFlow does not
  // write to it while it is held here.
  Tensor tensor;
};

struct Call {
  std::vector<Feed> feeds;
  std::vector<TF_Output> fetches;
  std::vector<TF_Operation*> targets;
  // For a call that sets variables: whether it has run, and whether they share the memory of the tensors that it was fed.
  bool assigned = false, shared = false;
};

struct Session {
  Graph graph;
  Owned<TF_Session, DeleteSession> session;  // After the graph: it is deleted first.
  std::vector<Call> calls;
  bool running = false;  // Whether a call runs in another thread.
};

/** A reference to a session. JavaScript holds one, and so does a run in another thread, so that the session outlives it. */
using Holder = std::shared_ptr<Session>;

// ---- JavaScript values

void Check(napi_status status) {
  if (status != napi_ok) throw std::runtime_error("an argument is of the wrong type");
}

struct Bytes {
  char* data;
  size_t length;
};

Bytes BytesOf(napi_env env, napi_value array) {
  napi_typedarray_type type;
  size_t length;
  void* data;
  Check(napi_get_typedarray_info(env, array, &type, &length, &data, nullptr, nullptr));
  const bool wide = type == napi_float32_array || type == napi_int32_array;
  if (!wide && type != napi_uint8_array) throw std::runtime_error("arrays hold float32, int32 or uint8");
  return {static_cast<char*>(data), length * (wide ? 4 : 1)};
}

std::string TextOf(napi_env env, napi_value value) {
  size_t length;
  Check(napi_get_value_string_utf8(env, value, nullptr, 0, &length));
  std::string text(length, '\0');
  Check(napi_get_value_string_utf8(env, value, &text[0], length + 1, &length));
  return text;
}

int64_t NumberOf(napi_env env, napi_value value) {
  int64_t number;
  Check(napi_get_value_int64(env, value, &number));
  return number;
}

/** An optional flag: undefined means false. */
bool FlagOf(napi_env env, napi_value value) {
  napi_valuetype type;
  Check(napi_typeof(env, value, &type));
  bool flag = false;
  if (type != napi_undefined) Check(napi_get_value_bool(env, value, &flag));
  return flag;
}

std::vector<napi_value> ElementsOf(napi_env env, napi_value array) {
  uint32_t length;
  Check(napi_get_array_length(env, array, &length));
  std::vector<napi_value> elements(length);
  for (uint32_t i = 0; i < length; i++) Check(napi_get_element(env, array, i, &elements[i]));
  return elements;
}

napi_value Property(napi_env env, napi_value object, const char* name) {
  napi_value value;
  Check(napi_get_named_property(env, object, name, &value));
  return value;
}

Holder& HolderOf(napi_env env, napi_value value) {
  void* holder;
  Check(napi_get_value_external(env, value, &holder));
  Holder& session = *static_cast<Holder*>(holder);
  if (session == nullptr) throw std::runtime_error("the session is closed");
  return session;
}

Session& SessionOf(napi_env env, napi_value value) {
  Session& session = *HolderOf(env, value);
  if (session.running) throw std::runtime_error("the session is running in another thread");
  return session;
}

// ---- The exported functions, and their parts

napi_value Open(napi_env env, const std::vector<napi_value>& arguments) {
  const Bytes definition = BytesOf(env, arguments[0]), config = BytesOf(env, arguments[1]);
  Status status(TF_NewStatus());
  auto session = std::make_shared<Session>();
  session->graph.reset(TF_NewGraph());
  Buffer buffer(TF_NewBufferFromString(definition.data, definition.length));
  ImportOptions import(TF_NewImportGraphDefOptions());
  TF_GraphImportGraphDef(session->graph.get(), buffer.get(), import.get(), status.get());
  Check(status);
  SessionOptions options(TF_NewSessionOptions());
  TF_SetConfig(options.get(), config.data, config.length, status.get());
  Check(status);
  session->session.reset(TF_NewSession(session->graph.get(), options.get(), status.get()));
  Check(status);
  auto holder = std::make_unique<Holder>(std::move(session));
  const auto finalize = [](napi_env, void* data, void*) { delete static_cast<Holder*>(data); };
  napi_value external;
  Check(napi_create_external(env, holder.get(), finalize, nullptr, &external));
  holder.release();
  return external;
}

TF_Operation* OperationOf(TF_Graph* graph, const std::string& name) {
  TF_Operation* operation = TF_GraphOperationByName(graph, name.c_str());
  if (operation == nullptr) throw std::runtime_error("the graph has no " + name);
  return operation;
}

TF_Output OutputOf(TF_Graph* graph, const std::string& name) {
  const size_t colon = name.find(':');
  TF_Operation* operation = OperationOf(graph, name.substr(0, colon));
  const int index = colon == std::string::npos ? 0 : std::atoi(name.c_str() + colon + 1);
  if (index < 0 || index >= TF_OperationNumOutputs(operation)) throw std::runtime_error("the graph has no " + name);
  return {operation, index};
}

/** TensorFlow adds the nodes to the session at the next run; calls that have run before stay as they are. */
napi_value Extend(napi_env env, const std::vector<napi_value>& arguments) {
  TF_Graph* graph = SessionOf(env, arguments[0]).graph.get();
  const Bytes definition = BytesOf(env, arguments[1]);
  ImportOptions import(TF_NewImportGraphDefOptions());
  for (napi_value value : ElementsOf(env, arguments[2])) {
    const std::string name = TextOf(env, value);
    const TF_Output output = OutputOf(graph, name);
    TF_ImportGraphDefOptionsAddInputMapping(import.get(), name.substr(0, name.find(':')).c_str(), output.index, output);
  }
  Status status(TF_NewStatus());
  Buffer buffer(TF_NewBufferFromString(definition.data, definition.length));
  TF_GraphImportGraphDef(graph, buffer.get(), import.get(), status.get());
  Check(status);
  return nullptr;
}

napi_value Prepare(napi_env env, const std::vector<napi_value>& arguments) {
  Session& session = SessionOf(env, arguments[0]);
  Call call;
  for (napi_value value : ElementsOf(env, arguments[1])) {
    Feed feed{OutputOf(session.graph.get(), TextOf(env, Property(env, value, "name"))),
              static_cast<TF_DataType>(NumberOf(env, Property(env, value, "type"))), {}, 0,
              FlagOf(env, Property(env, value, "borrowed")), nullptr};
    feed.bytes = TF_DataTypeSize(feed.type);
    for (napi_value length : ElementsOf(env, Property(env, value, "shape"))) {
      feed.shape.push_back(NumberOf(env, length));
      feed.bytes *= feed.shape.back();
    }
    call.feeds.push_back(std::move(feed));
  }
  for (napi_value value : ElementsOf(env, arguments[2])) {
    call.fetches.push_back(OutputOf(session.graph.get(), TextOf(env, value)));
  }
  for (napi_value value : ElementsOf(env, arguments[3])) {
    call.targets.push_back(OperationOf(session.graph.get(), TextOf(env, value)));
  }
  session.calls.push_back(std::move(call));
  napi_value number;
  Check(napi_create_uint32(env, session.calls.size() - 1, &number));
  return number;
}

/** The arrays in which a tensor's elements are stored. */
using Parts = std::vector<Bytes>;

Parts PartsOf(napi_env env, napi_value arrays) {
  Parts parts;
  for (napi_value array : ElementsOf(env, arrays)) parts.push_back(BytesOf(env, array));
  return parts;
}

/** Copies a tensor's bytes to or from the arrays in which its elements are stored. */
template <typename Copy>
void CopyParts(const Parts& parts, size_t bytes, Copy copy) {
  size_t at = 0;
  for (const Bytes& array : parts) {
    if (array.length > bytes - at) throw std::runtime_error("the arrays are longer than their tensor");
    copy(array, at);
    at += array.length;
  }
  if (at != bytes) throw std::runtime_error("the arrays are shorter than their tensor");
}

/** Makes the array a feed's tensor without a copy. (TensorFlow copies it if it is not aligned as its kernels need it.) */
void Borrow(napi_env env, Feed& feed, napi_value parts) {
  const Parts arrays = PartsOf(env, parts);
  const Bytes array = arrays.size() == 1 ? arrays[0] : Bytes{nullptr, 0};
  if (array.length != feed.bytes) throw std::runtime_error("what is borrowed is one array of its tensor's length");
  const auto keep = [](void*, size_t, void*) {};
  feed.tensor.reset(
      TF_NewTensor(feed.type, feed.shape.data(), feed.shape.size(), array.data, array.length, keep, nullptr));
}

/** Copies inputs into the tensors that the call is fed. */
void CopyIn(napi_env env, Call& call, napi_value inputs) {
  const std::vector<napi_value> given = ElementsOf(env, inputs);
  if (given.size() != call.feeds.size()) throw std::runtime_error("the call takes another number of inputs");
  for (size_t i = 0; i < given.size(); i++) {
    Feed& feed = call.feeds[i];
    if (feed.borrowed) {
      Borrow(env, feed, given[i]);
      continue;
    }
    if (feed.tensor == nullptr) {
      feed.tensor.reset(TF_AllocateTensor(feed.type, feed.shape.data(), feed.shape.size(), feed.bytes));
    }
    char* data = static_cast<char*>(TF_TensorData(feed.tensor.get()));
    if (data == nullptr && feed.bytes > 0) {
      feed.tensor.reset();
      throw std::runtime_error("OOM when allocating " + std::to_string(feed.bytes) + " bytes that are fed");
    }
    CopyParts(PartsOf(env, given[i]), feed.bytes,
              [data](const Bytes& part, size_t at) { std::memcpy(data + at, part.data, part.length); });
  }
}

std::vector<Tensor> RunSession(Session& session, const Call& call) {
  std::vector<TF_Output> places;
  std::vector<TF_Tensor*> values, results(call.fetches.size(), nullptr);
  for (const Feed& feed : call.feeds) {
    places.push_back(feed.output);
    values.push_back(feed.tensor.get());
  }
  Status status(TF_NewStatus());
  TF_SessionRun(session.session.get(), nullptr, places.data(), values.data(), values.size(), call.fetches.data(),
                results.data(), results.size(), call.targets.data(), call.targets.size(), nullptr, status.get());
  std::vector<Tensor> fetched;
  for (TF_Tensor* result : results) fetched.emplace_back(result);
  Check(status);
  return fetched;
}

constexpr size_t kBlock = 1024;
constexpr uint32_t kExponent = 0x7f800000;

/** Copies float32 numbers, and checks each block while it is in the nearest cache. @returns whether all are finite. */
bool CopyFinite(char* to, const char* from, size_t bytes) {
  uint32_t block[kBlock] = {}, bad = 0;
  for (size_t at = 0; at < bytes; at += sizeof(block)) {
    const size_t length = std::min(bytes - at, sizeof(block));
    std::memcpy(block, from + at, length);
    std::memcpy(to + at, block, length);
    // Always the whole block, so that the loop compiles to vector instructions. After the last number the block holds
    // zeros or numbers of the block before, so they change nothing.
    for (size_t i = 0; i < kBlock; i++) bad |= (block[i] & kExponent) == kExponent ? 1u : 0u;
  }
  return bad == 0;
}

/** Runs a call whose inputs are copied in, in any thread. @returns whether all outputs that are checked are finite. */
bool RunCall(Session& session, const Call& call, const std::vector<Parts>& outputs, bool unchecked) {
  const std::vector<Tensor> fetched = RunSession(session, call);
  bool finite = true;
  for (size_t i = 0; i < outputs.size(); i++) {
    const char* data = static_cast<const char*>(TF_TensorData(fetched[i].get()));
    const bool real = TF_TensorType(fetched[i].get()) == TF_FLOAT && !unchecked;
    CopyParts(outputs[i], TF_TensorByteSize(fetched[i].get()), [&](const Bytes& part, size_t at) {
      if (real) {
        finite &= CopyFinite(part.data, data + at, part.length);
      } else {
        std::memcpy(part.data, data + at, part.length);
      }
    });
  }
  return finite;
}

std::vector<Parts> OutputsOf(napi_env env, const Call& call, napi_value value) {
  std::vector<Parts> outputs;
  for (napi_value arrays : ElementsOf(env, value)) outputs.push_back(PartsOf(env, arrays));
  if (outputs.size() != call.fetches.size()) throw std::runtime_error("the call gives another number of outputs");
  return outputs;
}

napi_value BooleanOf(napi_env env, bool value) {
  napi_value boolean;
  Check(napi_get_boolean(env, value, &boolean));
  return boolean;
}

napi_value Run(napi_env env, const std::vector<napi_value>& arguments) {
  Session& session = SessionOf(env, arguments[0]);
  Call& call = session.calls.at(NumberOf(env, arguments[1]));
  const std::vector<Parts> outputs = OutputsOf(env, call, arguments[3]);
  CopyIn(env, call, arguments[2]);
  return BooleanOf(env, RunCall(session, call, outputs, FlagOf(env, arguments[4])));
}

/** A run in a thread of Node's pool. Each session has one at a time. */
struct LaterRun {
  Holder session;
  const Call* call;
  std::vector<Parts> outputs;
  bool unchecked;
  bool finite = false;
  std::string failure;
  napi_ref arrays = nullptr;  // Keeps the memory that is read or written in place.
  napi_deferred deferred = nullptr;
  napi_async_work work = nullptr;
};

void ExecuteLater(napi_env, void* data) {
  LaterRun& run = *static_cast<LaterRun*>(data);
  try {
    run.finite = RunCall(*run.session, *run.call, run.outputs, run.unchecked);
  } catch (const std::exception& error) {
    run.failure = error.what();
    if (run.failure.empty()) run.failure = "the call failed";
  }
}

void SettleLater(napi_env env, napi_status, void* data) {
  std::unique_ptr<LaterRun> run(static_cast<LaterRun*>(data));
  run->session->running = false;
  napi_delete_reference(env, run->arrays);
  napi_delete_async_work(env, run->work);
  napi_value message, error, finite;
  if (run->failure.empty()) {
    napi_get_boolean(env, run->finite, &finite);
    napi_resolve_deferred(env, run->deferred, finite);
  } else {
    napi_create_string_utf8(env, run->failure.c_str(), NAPI_AUTO_LENGTH, &message);
    napi_create_error(env, nullptr, message, &error);
    napi_reject_deferred(env, run->deferred, error);
  }
}

napi_value RunLater(napi_env env, const std::vector<napi_value>& arguments) {
  Session& session = SessionOf(env, arguments[0]);
  Call& call = session.calls.at(NumberOf(env, arguments[1]));
  auto run = std::make_unique<LaterRun>();
  run->session = HolderOf(env, arguments[0]);
  run->call = &call;
  run->outputs = OutputsOf(env, call, arguments[3]);
  run->unchecked = FlagOf(env, arguments[4]);
  CopyIn(env, call, arguments[2]);
  napi_value arrays, name, promise;
  Check(napi_create_array_with_length(env, 2, &arrays));
  Check(napi_set_element(env, arrays, 0, arguments[2]));
  Check(napi_set_element(env, arrays, 1, arguments[3]));
  Check(napi_create_string_utf8(env, "isobatch_session", NAPI_AUTO_LENGTH, &name));
  Check(napi_create_reference(env, arrays, 1, &run->arrays));
  Check(napi_create_async_work(env, nullptr, name, ExecuteLater, SettleLater, run.get(), &run->work));
  Check(napi_create_promise(env, &run->deferred, &promise));
  Check(napi_queue_async_work(env, run->work));
  session.running = true;
  run.release();
  return promise;
}

/**
 * On a CPU a variable that was set shares the memory of the tensor that was fed: later values need only be copied into it,
 * while no call runs. On another device it is a copy, and the call must run each time.
 */
napi_value Assign(napi_env env, const std::vector<napi_value>& arguments) {
  Session& session = SessionOf(env, arguments[0]);
  Call& call = session.calls.at(NumberOf(env, arguments[1]));
  CopyIn(env, call, arguments[3]);
  if (call.shared) return nullptr;
  RunSession(session, call);
  if (call.assigned) return nullptr;
  call.assigned = true;
  const std::vector<Tensor> variables = RunSession(session, session.calls.at(NumberOf(env, arguments[2])));
  call.shared = variables.size() == call.feeds.size();
  for (size_t i = 0; call.shared && i < variables.size(); i++) {
    call.shared = TF_TensorData(variables[i].get()) == TF_TensorData(call.feeds[i].tensor.get());
  }
  return nullptr;
}

napi_value Close(napi_env env, const std::vector<napi_value>& arguments) {
  HolderOf(env, arguments[0]).reset();
  return nullptr;
}

/** A JavaScript function with `count` arguments. C++ exceptions are thrown as JavaScript errors. */
template <napi_value (*Body)(napi_env, const std::vector<napi_value>&), size_t count>
napi_value Function(napi_env env, napi_callback_info info) {
  std::vector<napi_value> arguments(count);
  size_t given = count;
  try {
    Check(napi_get_cb_info(env, info, &given, arguments.data(), nullptr, nullptr));
    return Body(env, arguments);
  } catch (const std::exception& error) {
    napi_throw_error(env, nullptr, error.what());
    return nullptr;
  }
}

napi_value Initialize(napi_env env, napi_value exports) {
  const auto add = [&](const char* name, napi_callback callback) {
    napi_value function;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function);
    napi_set_named_property(env, exports, name, function);
  };
  add("open", Function<Open, 2>);
  add("prepare", Function<Prepare, 4>);
  add("extend", Function<Extend, 3>);
  add("run", Function<Run, 5>);
  add("runLater", Function<RunLater, 5>);
  add("assign", Function<Assign, 4>);
  add("close", Function<Close, 1>);
  return exports;
}

}  // namespace

NAPI_MODULE(isobatch_session, Initialize)
