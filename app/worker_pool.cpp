#include "app/worker_pool.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <new>
#include <optional>
#include <utility>

#include "model/base/error.h"

namespace accsim::app {
namespace {

constexpr std::size_t kChunk = 1 << 16;

[[noreturn]] void fail_system(const std::string& what, int code) {
  throw model::ConfigError("a worker process cannot be started: " + what + ": " + std::strerror(code));
}

bool write_all(int socket, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

std::string ending(int status) {
  if (WIFSIGNALED(status)) return "ended by signal " + std::to_string(WTERMSIG(status));
  return "ended with exit code " + std::to_string(WEXITSTATUS(status));
}

model::Json error_reply(const char* kind, const std::string& message) {
  return {{"error", {{"kind", kind}, {"message", message}}}};
}

}  // namespace

WorkerPool::WorkerPool(int workers, model::Json context, std::string program)
    : context_(std::move(context)), program_(std::move(program)), workers_(static_cast<std::size_t>(workers)) {}

WorkerPool::~WorkerPool() {
  for (Worker& worker : workers_) stop(worker, worker.busy);
}

void WorkerPool::start(Worker& worker) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) fail_system("socketpair", errno);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  std::string name = "accsim";
  std::string option = kWorkerOption;
  std::array<char*, 3> arguments{name.data(), option.data(), nullptr};
  pid_t pid = -1;
  const int code = ::posix_spawn(&pid, program_.c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  if (code != 0) {
    ::close(ends[0]);
    fail_system(program_, code);
  }
  worker = Worker{pid, ends[0], false, 0, {}};
  send(worker, context_);  // where that fails the worker is dead, which its first job shows
}

std::string WorkerPool::stop(Worker& worker, bool force) {
  if (worker.pid < 0) return {};
  ::close(worker.socket);
  if (force) ::kill(worker.pid, SIGKILL);
  int status = 0;
  while (::waitpid(worker.pid, &status, 0) < 0 && errno == EINTR) {
  }
  worker = Worker{};
  return ending(status);
}

bool WorkerPool::send(Worker& worker, const model::Json& message) {
  return write_all(worker.socket, message.dump() + "\n");
}

bool WorkerPool::receive(Worker& worker, model::Json& reply) {
  std::array<char, kChunk> chunk{};
  const ssize_t n = ::recv(worker.socket, chunk.data(), chunk.size(), 0);
  if (n < 0 && errno == EINTR) return false;
  if (n > 0) {
    worker.received.append(chunk.data(), static_cast<std::size_t>(n));
    if (worker.received.back() != '\n') return false;
    reply = model::Json::parse(worker.received, nullptr, false);
    worker.received.clear();
    if (!reply.is_discarded()) return true;
  }
  reply = error_reply("crash", "the worker process " + stop(worker, n > 0));
  return true;
}

void WorkerPool::run(std::size_t count, const MakeJob& make_job, const Done& done) {
  std::size_t next = 0;
  std::size_t finished = 0;
  while (finished < count) {
    for (Worker& worker : workers_) {
      if (worker.busy || next == count) continue;
      if (worker.pid < 0) start(worker);
      worker.job = next++;
      worker.busy = true;
      send(worker, make_job(worker.job));  // a dead worker is seen when its reply is awaited
    }
    std::vector<pollfd> waiting;
    std::vector<Worker*> waited;
    for (Worker& worker : workers_) {
      if (!worker.busy) continue;
      waiting.push_back({worker.socket, POLLIN, 0});
      waited.push_back(&worker);
    }
    if (::poll(waiting.data(), waiting.size(), -1) < 0) {
      if (errno == EINTR) continue;
      throw model::InternalError(std::string("poll: ") + std::strerror(errno));
    }
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      if (waiting[i].revents == 0) continue;
      const std::size_t job = waited[i]->job;
      model::Json reply;
      if (!receive(*waited[i], reply)) continue;
      waited[i]->busy = false;
      ++finished;
      done(job, std::move(reply));
    }
  }
}

model::Json reply_of(const std::function<model::Json()>& work) {
  try {
    return {{"reply", work()}};
  } catch (const model::ConfigError& error) {
    return error_reply("config", error.what());
  } catch (const model::InfeasibleError& error) {
    return error_reply("infeasible", error.what());
  } catch (const model::MismatchError& error) {
    return error_reply("mismatch", error.what());
  } catch (const std::bad_alloc&) {
    return error_reply("memory", "not enough memory");
  } catch (const std::exception& error) {
    return error_reply("internal", error.what());
  }
}

int serve_jobs(const std::function<model::Json(const model::Json& context, const model::Json& job)>& handle) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int socket = ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  if (socket < 0) throw model::ConfigError("--worker is for the program's own use");
  std::string received;
  std::optional<model::Json> context;
  std::array<char, kChunk> chunk{};
  for (;;) {
    const ssize_t n = ::read(socket, chunk.data(), chunk.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return 0;
    received.append(chunk.data(), static_cast<std::size_t>(n));
    for (std::size_t end = received.find('\n'); end != std::string::npos; end = received.find('\n')) {
      model::Json message = model::Json::parse(received.substr(0, end));
      received.erase(0, end + 1);
      if (!context) {
        context = std::move(message);
        continue;
      }
      const model::Json reply = reply_of([&] { return handle(*context, message); });
      if (!write_all(socket, reply.dump() + "\n")) return 0;
    }
  }
}

void throw_reply_error(const model::Json& error, const std::string& prefix) {
  const std::string kind = error.at("kind");
  const std::string message = prefix + error.at("message").get<std::string>();
  if (kind == "config") throw model::ConfigError(message);
  if (kind == "infeasible") throw model::InfeasibleError(message);
  if (kind == "mismatch") throw model::MismatchError(message);
  if (kind == "memory") throw std::bad_alloc();
  throw model::InternalError(message);
}

}  // namespace accsim::app
