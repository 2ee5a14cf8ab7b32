// Worker processes: the program starts itself with --worker and speaks JSON lines with each copy over a socket pair
// (its standard input; its standard output joins standard error, so that nothing else gets in between).
// Processes, not threads, because SystemC's context is one global. A job is a JSON object; its reply is {"reply": …},
// or
// {"error": {"kind", "message"}}; a worker that dies in a job yields the kind "crash", and another takes its place.
// Workers end when their parent ends, however it ends.
#pragma once
#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "model/config/json.h"

namespace accsim::app {

inline constexpr char kWorkerOption[] = "--worker";

class WorkerPool {
 public:
  // `context`: sent to each worker before its first job. `program`: what is started, this very program unless a test
  // says otherwise. Processes start with their first job.
  WorkerPool(int workers, model::Json context, std::string program = "/proc/self/exe");
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  using MakeJob = std::function<model::Json(std::size_t index)>;
  using Done = std::function<void(std::size_t index, model::Json reply)>;
  // Jobs 0 to count-1, each made when a worker is free for it; `done` is called as they finish, in any order.
  void run(std::size_t count, const MakeJob& make_job, const Done& done);

 private:
  struct Worker {
    pid_t pid = -1;
    int socket = -1;
    bool busy = false;
    std::size_t job = 0;
    std::string received;  // the reply so far
  };

  void start(Worker& worker);
  std::string stop(Worker& worker, bool force);  // how it ended
  bool send(Worker& worker, const model::Json& message);
  // Takes what has arrived; true when the reply (or the worker's end) is complete in `reply`.
  bool receive(Worker& worker, model::Json& reply);

  model::Json context_;
  std::string program_;
  std::vector<Worker> workers_;
};

// In the worker process: answers jobs from standard input until it closes. `handle` gets the context and a job; what it
// throws becomes the reply's error.
int serve_jobs(const std::function<model::Json(const model::Json& context, const model::Json& job)>& handle);

// The reply to a job whose answer is `work`'s: {"reply": …}, or the "error" that it threw.
model::Json reply_of(const std::function<model::Json()>& work);

// Throws what a reply's "error" says, with `prefix` before its message.
[[noreturn]] void throw_reply_error(const model::Json& error, const std::string& prefix);

}  // namespace accsim::app
