#include "app/worker.h"

#include <string>

#include "app/measurer.h"
#include "app/point.h"
#include "app/worker_pool.h"
#include "model/base/error.h"

namespace accsim::app {

int run_worker() {
  return serve_jobs([](const model::Json& context, const model::Json& job) {
    const std::string kind = context.at("kind");
    if (kind == "measure") return answer_measure_job(context, job);
    if (kind == "points") return answer_point_job(context, job);
    throw model::InternalError("unknown kind of job: " + kind);
  });
}

}  // namespace accsim::app
