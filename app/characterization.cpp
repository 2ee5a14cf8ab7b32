#include "app/characterization.h"

#include <utility>

#include "app/digest.h"
#include "sched/characterize/characterize.h"

namespace accsim::app {

sched::Characterization read_characterization(const std::string& file, const model::Architecture& arch) {
  return sched::parse_characterization(model::read_json_file(file), arch, file);
}

sched::Characterization measured_characterization(const Inputs& inputs, ProcessMeasurer& measurer, Store& store,
                                                  int threads, const std::function<void(const std::string&)>& say) {
  constexpr char kKind[] = "characterization";
  const std::string key = digest(inputs.arch_json.dump()) + "." +
                          std::string(model::name_of(inputs.network.precision)) + "." + digest(build_identity());
  if (const auto text = store.find_text(kKind, key)) {
    const std::string name = "characterization in the store";
    return sched::parse_characterization(model::parse_json(*text, name), inputs.arch, name);
  }
  if (say) say("characterizing " + inputs.arch.name + " (no card given and none in the store)");
  sched::Characterization card =
      sched::characterize(inputs.arch, inputs.network.precision, measurer, threads, [&](const std::string& what) {
        if (say) say("characterizing " + inputs.arch.name + ": " + what);
      });
  store.insert_text(kKind, key, sched::to_json(card).dump());
  return card;
}

CharacterizationSource characterization_source(const std::string& file, const Inputs& inputs, ProcessMeasurer& measurer,
                                               Store& store, int threads, std::function<void(const std::string&)> say) {
  std::shared_ptr<const sched::Characterization> card;
  if (!file.empty()) card = std::make_shared<sched::Characterization>(read_characterization(file, inputs.arch));
  return [card, &inputs, &measurer, &store, threads, say = std::move(say)]() mutable {
    if (!card) {
      card =
          std::make_shared<sched::Characterization>(measured_characterization(inputs, measurer, store, threads, say));
    }
    return card;
  };
}

}  // namespace accsim::app
