#include <array>

#include "sched/mapping/evaluate.h"
#include "sched/mapping/ragged.h"

namespace accsim::sched {
namespace {

struct RaggedNest {
  const MapHierarchy& hierarchy;
  const MapProblem& problem;
  const Mapping& mapping;
  std::vector<RaggedDim> dims{};

  [[nodiscard]] RaggedFetch fetch_of(const MapTensor& tensor, std::size_t level) const {
    RaggedFetch fetch;
    for (std::size_t l = level; l-- > 0;) {
      for (const int d : mapping.order[l]) {
        if (tensor.uses(d)) {
          fetch.slide_dim = d;
          fetch.slide_level = l;
          return fetch;
        }
        fetch.dropped[static_cast<std::size_t>(d)] |= 1U << l;
      }
    }
    return fetch;
  }

  // Bits of the levels up to `above` for all dimensions (where only the first instance counts), and of those below, up
  // to `below`, for dimensions that do not index the tensor, where the instances of a level share.
  [[nodiscard]] std::array<std::uint32_t, kMostMapDims> places(const MapTensor& tensor, std::size_t above,
                                                               std::size_t below, bool first) const {
    std::array<std::uint32_t, kMostMapDims> places{};
    for (std::size_t d = 0; d < dims.size(); ++d) {
      if (first) places[d] |= (2U << above) - 1U;
      if (!tensor.uses(static_cast<int>(d))) places[d] |= shared_levels(tensor, above, below);
    }
    return places;
  }

  [[nodiscard]] std::uint32_t shared_levels(const MapTensor& tensor, std::size_t above, std::size_t below) const {
    std::uint32_t levels = 0;
    for (std::size_t l = above + 1; l <= below; ++l) {
      const MapLevel& level = hierarchy.levels[l];
      if (tensor.output ? level.reduction : level.multicast) levels |= 1U << l;
    }
    return levels;
  }
};

}  // namespace

Evaluation evaluate_ragged(const MapHierarchy& hierarchy, const MapProblem& problem, const KeepRules& rules,
                           const Mapping& mapping) {
  const std::size_t levels = hierarchy.levels.size(), tensors = problem.tensors.size(), count = problem.dims.size();
  RaggedNest nest{hierarchy, problem, mapping};
  for (std::size_t d = 0; d < count; ++d) nest.dims.push_back(ragged_dim(mapping, d));
  const RaggedDim* dims = nest.dims.data();
  Evaluation result;
  result.macs = problem.macs();
  double used = 1;
  for (std::size_t l = 0; l < levels; ++l) {
    for (std::size_t d = 0; d < count; ++d) used *= static_cast<double>(mapping.spatial[l][d]);
    result.instances.push_back(used);
  }
  result.units = used;
  result.accesses.assign(levels, std::vector<Accesses>(tensors));
  result.totals = result.accesses;
  for (const bool first : {true, false}) {
    std::vector<std::vector<Accesses>>& out = first ? result.accesses : result.totals;
    for (std::size_t t = 0; t < tensors; ++t) {
      const MapTensor& tensor = problem.tensors[t];
      std::size_t parent = 0;
      const auto serve = [&](double requests) {
        Accesses& at = out[parent][t];
        if (tensor.output) {
          at.updates += requests;
          at.reads += requests - ragged_touches(tensor, dims, count, parent, first);
        } else {
          at.reads += requests;
        }
      };
      for (std::size_t l = 1; l < levels; ++l) {
        if ((mapping.keep[t] >> l & 1U) == 0) continue;
        const RaggedFetch fetch = nest.fetch_of(tensor, l);
        const double fetched = ragged_words(tensor, dims, count, l, fetch, nest.places(tensor, l, l, first));
        out[l][t].fills += tensor.output ? fetched - ragged_touches(tensor, dims, count, l, first) : fetched;
        serve(ragged_words(tensor, dims, count, l, fetch, nest.places(tensor, parent, l, first)) *
              ragged_sharing(tensor, dims, parent, l, nest.shared_levels(tensor, parent, l)));
        parent = l;
      }
      serve(ragged_steps(dims, count, nest.places(tensor, parent, levels - 1, first)) *
            ragged_sharing(tensor, dims, parent, levels - 1, nest.shared_levels(tensor, parent, levels - 1)));
    }
  }
  std::array<std::uint32_t, kMostMapDims> first{};
  first.fill(~0U);
  price(hierarchy, problem, rules, mapping, ragged_steps(dims, count, first), result);
  return result;
}

}  // namespace accsim::sched
