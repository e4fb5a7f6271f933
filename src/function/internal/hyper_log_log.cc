#include "function/internal/hyper_log_log.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace tidemill {
namespace {

constexpr int kRankMax = 64 - HyperLogLog::kPrecision + 1;

double Sigma(double x) {
  if (x == 1.0) return INFINITY;
  double y = 1, z = x, before;
  do {
    x *= x;
    before = z;
    z += x * y;
    y += y;
  } while (z != before);
  return z;
}

double Tau(double x) {
  if (x == 0.0 || x == 1.0) return 0.0;
  double y = 1, z = 1 - x, before;
  do {
    x = std::sqrt(x);
    before = z;
    y *= 0.5;
    z -= (1 - x) * (1 - x) * y;
  } while (z != before);
  return z / 3;
}

}  // namespace

void HyperLogLog::Add(uint64_t hash) {
  const auto index = static_cast<uint32_t>(hash >> (64 - kPrecision));
  const uint64_t rest = hash << kPrecision | (uint64_t{1} << (kPrecision - 1));  // a stop for the count of zeros
  Raise(index, static_cast<uint8_t>(std::countl_zero(rest) + 1));
}

void HyperLogLog::Raise(uint32_t index, uint8_t rank) {
  if (!registers_.empty()) {
    registers_[index] = std::max(registers_[index], rank);
    return;
  }
  const auto at = std::lower_bound(list_.begin(), list_.end(), index << 8);
  if (at != list_.end() && *at >> 8 == index) {
    *at = std::max(*at, index << 8 | rank);
    return;
  }
  list_.insert(at, index << 8 | rank);
  if (list_.size() > kListMax) Expand();
}

void HyperLogLog::Expand() {
  registers_.assign(kRegisters, 0);
  for (uint32_t entry : list_) registers_[entry >> 8] = static_cast<uint8_t>(entry);
  list_ = {};
}

void HyperLogLog::Merge(const HyperLogLog& other) {
  if (&other == this) return;
  if (other.registers_.empty()) {
    for (uint32_t entry : other.list_) Raise(entry >> 8, static_cast<uint8_t>(entry));
    return;
  }
  if (registers_.empty()) Expand();
  for (size_t i = 0; i < registers_.size(); ++i) registers_[i] = std::max(registers_[i], other.registers_[i]);
}

int64_t HyperLogLog::Estimate() const {
  std::array<int, kRankMax + 1> histogram{};
  if (registers_.empty()) {
    histogram[0] = kRegisters - static_cast<int>(list_.size());
    for (uint32_t entry : list_) ++histogram[entry & 0xff];
  } else {
    for (uint8_t rank : registers_) ++histogram[rank];
  }
  constexpr double kM = kRegisters;
  double z = kM * Tau(1 - histogram[kRankMax] / kM);
  for (int k = kRankMax - 1; k >= 1; --k) z = 0.5 * (z + histogram[static_cast<size_t>(k)]);
  z += kM * Sigma(histogram[0] / kM);
  return std::llround(kM * kM / (2 * std::log(2.0)) / z);
}

std::string HyperLogLog::Save() const {
  if (!registers_.empty()) return {reinterpret_cast<const char*>(registers_.data()), registers_.size()};
  return {reinterpret_cast<const char*>(list_.data()), list_.size() * sizeof(uint32_t)};
}

bool HyperLogLog::Load(std::string_view bytes) {
  list_.clear();
  registers_.clear();
  if (bytes.size() == kRegisters) {
    registers_.assign(bytes.begin(), bytes.end());
    return std::all_of(registers_.begin(), registers_.end(), [](uint8_t rank) { return rank <= kRankMax; });
  }
  if (bytes.size() % sizeof(uint32_t) != 0 || bytes.size() > kListMax * sizeof(uint32_t)) return false;
  list_.resize(bytes.size() / sizeof(uint32_t));
  std::memcpy(list_.data(), bytes.data(), bytes.size());
  return std::is_sorted(list_.begin(), list_.end()) && std::all_of(list_.begin(), list_.end(), [](uint32_t e) {
           return e >> 8 < kRegisters && (e & 0xff) >= 1 && (e & 0xff) <= kRankMax;
         });
}

}  // namespace tidemill
