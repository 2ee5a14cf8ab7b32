// The readers of all file formats as functions of hostile text, for fuzzing and for the replay of its corpus. Each
// reads `text`; what it accepts is written and read again (the same text must come out) and goes through the verifiers,
// as it would in the program. A user's mistake (ConfigError) is the expected outcome; everything else leaves as an
// exception or a crash.
#pragma once
#include <array>
#include <string_view>

namespace accsim::tests {

struct Reader {
  std::string_view name;  // folder of its corpus in tests/fuzz/corpus
  bool (*accepts)(std::string_view text);
};

bool accepts_architecture(std::string_view text);
bool accepts_network(std::string_view text);
bool accepts_schedule(std::string_view text);  // of the network and architecture in tests/fuzz/context
bool accepts_program(std::string_view text);   // of that architecture
bool accepts_onnx(std::string_view text);      // an ONNX file, with the values of its weights

inline constexpr std::array<Reader, 5> kReaders{{{"architecture", accepts_architecture},
                                                 {"network", accepts_network},
                                                 {"schedule", accepts_schedule},
                                                 {"program", accepts_program},
                                                 {"onnx", accepts_onnx}}};

}  // namespace accsim::tests
