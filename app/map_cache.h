// Results of the mapper's searches in a folder, a file each: named after a digest of everything that decides the
// result, which also stands in it. Safe against other processes (files appear whole) and against files that are broken
// or of something else: a file counts only if it holds this very question, its mappings pass the checks of a mapping
// given by hand and count now what they counted then; otherwise it is written anew.
#pragma once
#include <string>

#include "app/command.h"
#include "sched/mapping/search.h"

namespace accsim::app {

struct CachedSearch {
  sched::MapSearchResult result;
  bool hit = false;
};

// search_mapping, or what it found before. `folder` empty: no cache. ConfigError where it is no folder.
CachedSearch search_mapping_cached(const sched::MapHierarchy& hierarchy, const sched::MapProblem& problem,
                                   const sched::KeepRules& rules, const sched::MapSearchOptions& options,
                                   const std::string& folder, const CommandContext& context);

}  // namespace accsim::app
