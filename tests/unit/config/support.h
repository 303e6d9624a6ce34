#pragma once
// What the tests of config/ share: reading text, and findings as short lines.

#include <string>
#include <string_view>
#include <vector>

#include "config/analysis.h"
#include "config/store.h"

namespace weir::config::test {

/// Each as "line:column Level CODE message", in the order of the diagnostics. Infos are left out.
std::vector<std::string> lines(const Diagnostics& diagnostics);

/// What reading `text` says; see lines().
std::vector<std::string> read_findings(std::string_view text);

/// What analyze() says of `text`'s objects.
std::vector<std::string> analysis_findings(std::string_view text);

/// `spec`, indented by two, as an object named "a" of Istio's `kind`. The spec begins in line 6.
std::string istio(std::string_view kind, std::string_view spec);

/// The same of any kind of `api_version`. The spec begins in line 6.
std::string object(std::string_view api_version, std::string_view kind, std::string_view spec);

/// A spec and how the one finding that it causes begins; empty: no finding.
struct SpecCase {
  std::string spec, finding;
};
/// Reads each spec as an object of `kind`, put into `around` in place of "@" (which says where the spec stands and is
/// followed by its indentation: "http:\n- @").
void check_specs(std::string_view kind, std::string_view around, const std::vector<SpecCase>& table,
                 std::string_view api_version = "networking.istio.io/v1");

/// The only object of `text`, or nothing and a failed expectation.
template <class Object>
Object only(std::string_view text) {
  const ParsedFile file = read_yaml(text, "test.yaml");
  const auto* object = file.objects.size() == 1 ? std::get_if<Object>(file.objects.front().get()) : nullptr;
  return object == nullptr ? Object{} : *object;
}

/// The folder ../shared/corpus/<below>, or empty where it is absent.
std::string corpus(std::string_view below);
std::string read_file(const std::string& path);
/// All files below `folder` that end in `.yaml`, sorted.
std::vector<std::string> yaml_files(const std::string& folder);

}  // namespace weir::config::test
