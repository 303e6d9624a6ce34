#include "routing/build/client_classes.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/hash.h"
#include "routing/view/client_class.h"
#include "routing/view/resolve.h"

namespace weir::routing {
namespace {

Client client_of(const Table& table, const NodePod& pod) {
  Client client = client_of_pod(table, pod.namespace_, pod.name).value_or(Client{});
  client.namespace_ = pod.namespace_;
  client.address = pod.address;
  return client;
}

/// For readers: "default/version=v1".
std::string text_of(const Table& table, const Client& client) {
  std::string labels;
  for (const auto& [label, value] : client.labels)
    if (table.named_labels && table.named_labels->contains(label))
      labels += (labels.empty() ? "" : ",") + label + "=" + value;
  return client.namespace_ + "/" + labels;
}

/// By the name alone, so that it is the same after a restart; of two names with one number the later moves up.
std::map<std::string, uint32_t, std::less<>> make_ids(const std::set<std::string>& names) {
  std::map<std::string, uint32_t, std::less<>> ids;
  std::set<uint32_t> taken{0, kOutside};
  for (const std::string& name : names) {
    auto id = static_cast<uint32_t>(hash64(name));
    while (!taken.insert(id).second) ++id;
    ids.emplace(name, id);
  }
  return ids;
}

}  // namespace

bool ClientClasses::set_pods(std::vector<NodePod> pods) {
  std::sort(pods.begin(), pods.end());
  if (pods == pods_) return false;
  pods_ = std::move(pods);
  pods_by_key_.clear();
  for (size_t i = 0; i < pods_.size(); ++i) pods_by_key_[key_of(pods_[i].namespace_, pods_[i].name)].push_back(i);
  all_ = true;
  return true;
}

void ClientClasses::count_subnet(const Cidr& subnet, bool add) {
  Subnet& entry = subnets_[subnet.to_string()];
  entry.subnet = subnet;
  entry.uses += add ? 1 : size_t(0) - 1;
  all_ = all_ || entry.uses == (add ? 1U : 0U);
  if (entry.uses == 0) subnets_.erase(subnet.to_string());
}

void ClientClasses::touch(const std::string& pod_key) {
  if (pods_by_key_.contains(pod_key)) dirty_.push_back(pod_key);
}

std::string ClientClasses::name_of(const Table& table, const Client& client) const {
  std::string name = class_name(table, client);
  for (const auto& [text, entry] : subnets_)
    if (client.address && entry.subnet.contains(*client.address)) name.append(1, '\0').append(text);
  return name;
}

bool ClientClasses::update(const Table& table) {
  const std::vector<std::string> dirty = std::exchange(dirty_, {});
  bool moved = std::exchange(all_, false);  // a pod is of another class
  if (moved) {
    names_.clear();
    for (const NodePod& pod : pods_) names_.push_back(name_of(table, client_of(table, pod)));
  } else {
    for (const std::string& key : dirty) {
      for (const size_t i : pods_by_key_[key]) {
        std::string name = name_of(table, client_of(table, pods_[i]));
        moved = moved || name != names_[i];
        names_[i] = std::move(name);
      }
    }
  }
  if (!moved) return false;
  std::set<std::string> names(names_.begin(), names_.end());
  auto ids = make_ids(names);
  const bool other = ids != ids_;
  ids_ = std::move(ids);
  make_classes(table);
  return other;
}

void ClientClasses::make_classes(const Table& table) {
  classes_.clear();
  std::map<std::string_view, const NodePod*> first;
  for (size_t i = 0; i < pods_.size(); ++i) first.emplace(names_[i], &pods_[i]);
  for (const auto& [name, pod] : first) {
    Client client = client_of(table, *pod);
    std::string text = text_of(table, client);
    for (const auto& [subnet, entry] : subnets_)
      if (entry.subnet.contains(pod->address)) text += " in " + subnet;
    classes_.push_back({ids_.at(std::string(name)), std::move(text), std::move(client)});
  }
}

}  // namespace weir::routing
