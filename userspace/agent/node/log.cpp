#include "agent/node/log.h"

#include <fmt/format.h>
#include <spdlog/async.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <memory>

namespace weir::agent {
namespace {

constexpr size_t kQueuedLines = 8192;

/// The level as sd-daemon(3) has it.
class PriorityFlag : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& to) override {
    static constexpr std::array<char, 7> kPriority = {'7', '7', '6', '4', '3', '2', '6'};
    to.push_back('<');
    to.push_back(kPriority.at(static_cast<size_t>(message.level)));
    to.push_back('>');
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<PriorityFlag>();
  }
};

std::unique_ptr<spdlog::formatter> line_formatter() {
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<PriorityFlag>('*');
  formatter->set_pattern(std::getenv("JOURNAL_STREAM") != nullptr ? "%*%v" : "%Y-%m-%dT%H:%M:%S.%e%z %l %v");
  return formatter;
}

}  // namespace

void start_log(spdlog::level::level_enum level) {
  // The log's thread takes no signals: a SIGTERM that reached it would end the agent before its own loop saw it.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  spdlog::init_thread_pool(kQueuedLines, 1);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  auto logger = std::make_shared<spdlog::async_logger>("weir", sink, spdlog::thread_pool(),
                                                       spdlog::async_overflow_policy::overrun_oldest);
  logger->set_formatter(line_formatter());
  logger->set_level(level);
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
}

void stop_log() {
  spdlog::shutdown();
}

std::optional<uint64_t> Throttle::admit(std::string_view kind, Clock::time_point now) {
  auto found = kinds_.find(kind);
  if (found == kinds_.end()) {
    if (kinds_.size() >= kMostKinds) kinds_.clear();
    kinds_.emplace(std::string(kind), State{now, 0});
    return 0;
  }
  State& state = found->second;
  if (now - state.last < every_) {
    ++state.kept_back;
    return std::nullopt;
  }
  state.last = now;
  return std::exchange(state.kept_back, 0);
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f)
      out += fmt::format("\\x{:02x}", byte);
    else
      out += c;
  }
  return out;
}

}  // namespace weir::agent
