#include "sched/mapping/dataflow.h"

#include <algorithm>

namespace accsim::sched {
namespace {

struct Generator {
  const MapProblem& problem;
  std::uint32_t loops;
  const std::vector<std::uint32_t>& inside;
  std::vector<Dataflow> found;

  [[nodiscard]] bool placeable(std::size_t dim, std::uint32_t placed) const {
    return ((loops & ~placed) >> dim & 1U) != 0 && (inside.empty() || (inside[dim] & loops & ~placed) == 0);
  }

  void place(Dataflow& flow, std::uint32_t& placed, std::uint32_t running, int dim) const {
    for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
      if ((running >> t & 1U) != 0 && !problem.tensors[t].uses(dim)) flow.reuse[t].dropped |= 1U << dim;
    }
    flow.order.push_back(dim);
    placed |= 1U << dim;
  }

  void extend(Dataflow flow, std::uint32_t placed, std::uint32_t running) {
    const auto used_by_running = [&](std::size_t dim) {
      for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
        if ((running >> t & 1U) != 0 && problem.tensors[t].uses(static_cast<int>(dim))) return true;
      }
      return false;
    };
    for (std::uint32_t before = ~placed; before != placed;) {  // until no more may be placed for free: they end no run
      before = placed;
      for (std::size_t d = 0; d < problem.dims.size(); ++d) {
        if (placeable(d, placed) && !used_by_running(d)) place(flow, placed, running, static_cast<int>(d));
      }
    }
    if (placed == loops) found.push_back(flow);
    for (std::size_t d = 0; d < problem.dims.size(); ++d) {
      if (!placeable(d, placed)) continue;
      Dataflow next = flow;
      std::uint32_t then = placed;
      place(next, then, running, static_cast<int>(d));
      std::uint32_t still = running;
      for (std::size_t t = 0; t < problem.tensors.size(); ++t) {
        if ((running >> t & 1U) == 0 || !problem.tensors[t].uses(static_cast<int>(d))) continue;
        still &= ~(1U << t);
        next.reuse[t].stop = static_cast<int>(d);
        next.reuse[t].slides = slides_along(problem, problem.tensors[t], static_cast<int>(d));
      }
      extend(std::move(next), then, still);
    }
  }
};

bool covers(const Dataflow& a, const Dataflow& b) {
  for (std::size_t t = 0; t < a.reuse.size(); ++t) {
    const Dataflow::Reuse &x = a.reuse[t], &y = b.reuse[t];
    if ((y.dropped & ~x.dropped) != 0) return false;
    if (y.stop >= 0 && y.slides && !(x.slides && x.stop == y.stop)) return false;
  }
  return true;
}

}  // namespace

bool slides_along(const MapProblem& problem, const MapTensor& tensor, int dim) {
  for (const TensorAxis& axis : tensor.axes) {
    bool here = false, others = false;
    for (const AxisPart& part : axis) {
      here = here || part.dim == dim;
      others = others || (part.dim != dim && problem.dims[static_cast<std::size_t>(part.dim)].size > 1);
    }
    if (here && others) return true;
  }
  return false;
}

std::vector<Dataflow> dataflows(const MapProblem& problem, std::uint32_t loops,
                                const std::vector<std::uint32_t>& inside) {
  Generator generator{problem, loops, inside, {}};
  Dataflow start;
  start.reuse.resize(problem.tensors.size());
  generator.extend(start, 0, (1U << problem.tensors.size()) - 1U);
  std::vector<Dataflow> kept;
  for (const Dataflow& flow : generator.found) {
    if (std::any_of(kept.begin(), kept.end(), [&](const Dataflow& k) { return covers(k, flow); })) continue;
    kept.erase(std::remove_if(kept.begin(), kept.end(), [&](const Dataflow& k) { return covers(flow, k); }),
               kept.end());
    kept.push_back(flow);
  }
  return kept;
}

std::uint32_t looped_dims(const MapProblem& problem) {
  std::uint32_t loops = 0;
  for (std::size_t d = 0; d < problem.dims.size(); ++d) {
    if (problem.dims[d].size > 1) loops |= 1U << d;
  }
  return loops;
}

}  // namespace accsim::sched
