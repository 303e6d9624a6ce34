#include "datapath/service_delta.h"

#include <algorithm>
#include <unordered_set>

#include "datapath/maps_view.h"

namespace weir::datapath {
namespace {

Result<WantedImages> make_images(const Services& services, const ProxyPorts* ports) {
  WantedImages result;
  result.images.reserve(services.size());
  for (const auto& service : services) {
    auto image = make_service_image(*service, ports);
    if (!image) return std::move(image).error();
    result.images.push_back(*std::move(image));
  }
  for (const ServiceImage& image : result.images) result.wanted.services.push_back(&image);
  return result;
}

/// Everything that the services' images can have put into the maps.
void list_gone(const Services& services, Wanted* wanted) {
  for (const auto& service : services) {
    for (const auto& split : service->splits) wanted->gone_splits.push_back(split_key(split.name));
    for (const auto& frontend : service->frontends) {
      wanted->gone_frontends.push_back(frontend_key_of(frontend));
      if (frontend.source == 0 || frontend.source == routing::kOutside) continue;
      routing::PlanFrontend any_client = frontend;
      any_client.source = 0;
      wanted->gone_frontends.push_back(frontend_key_of(any_client));
    }
  }
}

template <class Key, class Hash>
void drop_duplicates(std::vector<Key>* keys) {
  std::unordered_set<Key, Hash> seen;
  std::erase_if(*keys, [&](const Key& key) { return !seen.insert(key).second; });
}

}  // namespace

ServiceDelta compare_services(const Services& before, const Services& after) {
  ServiceDelta delta;
  const size_t shorter = std::min(before.size(), after.size());
  while (delta.prefix < shorter && before[delta.prefix] == after[delta.prefix]) ++delta.prefix;
  while (delta.suffix < shorter - delta.prefix &&
         before[before.size() - 1 - delta.suffix] == after[after.size() - 1 - delta.suffix])
    ++delta.suffix;
  std::unordered_set<const routing::ServicePlan*> old;
  for (size_t i = delta.prefix; i < before.size() - delta.suffix; ++i) old.insert(before[i].get());
  for (size_t i = delta.prefix; i < after.size() - delta.suffix; ++i)
    if (old.erase(after[i].get()) == 0) delta.added.push_back(after[i]);
  for (size_t i = delta.prefix; i < before.size() - delta.suffix; ++i)
    if (old.contains(before[i].get())) delta.removed.push_back(before[i]);
  return delta;
}

void replace_services(Services& applied, const Services& after, const ServiceDelta& delta) {
  const auto first = static_cast<ptrdiff_t>(delta.prefix);
  const auto applied_end = static_cast<ptrdiff_t>(applied.size() - delta.suffix);
  const auto after_end = static_cast<ptrdiff_t>(after.size() - delta.suffix);
  const ptrdiff_t both = std::min(applied_end, after_end);
  std::copy(after.begin() + first, after.begin() + both, applied.begin() + first);
  applied.erase(applied.begin() + both, applied.begin() + applied_end);
  applied.insert(applied.begin() + both, after.begin() + both, after.begin() + after_end);
}

Result<WantedImages> want_all(const Services& services, const ProxyPorts* ports) {
  auto result = make_images(services, ports);
  if (result) result->wanted.everything = true;
  return result;
}

Result<WantedImages> want_delta(const ServiceDelta& delta, const MapState& state, bool* fits, const ProxyPorts* ports) {
  auto result = make_images(delta.added, ports);
  if (!result) return result;
  Wanted& wanted = result->wanted;
  list_gone(delta.removed, &wanted);
  drop_duplicates<abi::frontend_key, FrontendKeyHash>(&wanted.gone_frontends);
  drop_duplicates<uint64_t, std::hash<uint64_t>>(&wanted.gone_splits);
  const std::unordered_set<abi::frontend_key, FrontendKeyHash> freed(wanted.gone_frontends.begin(),
                                                                     wanted.gone_frontends.end());
  const std::unordered_set<uint64_t> freed_splits(wanted.gone_splits.begin(), wanted.gone_splits.end());
  *fits = true;
  for (const ServiceImage& image : result->images) {
    for (const FrontendImage& frontend : image.frontends)
      if (state.frontends.contains(frontend.key) && !freed.contains(frontend.key)) *fits = false;
    for (const SplitImage& split : image.splits)
      if (state.splits.contains(split.key) && !freed_splits.contains(split.key)) *fits = false;
  }
  return result;
}

}  // namespace weir::datapath
