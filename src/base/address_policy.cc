#include "base/address_policy.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>

#include <arpa/inet.h>

#include "base/errors.h"

namespace tidemill {
namespace {

// An IPv4 address is kept as ::ffff:a.b.c.d, so that one comparison serves both families.
using Address = std::array<uint8_t, 16>;

struct Block {
  Address prefix;
  int bits;
};

std::optional<Address> ParseAddress(std::string_view text) {
  // A zone ("fe80::1%eth0") says which interface, not which address.
  const std::string numeric(text.substr(0, text.find('%')));
  Address address{};
  if (::inet_pton(AF_INET6, numeric.c_str(), address.data()) == 1) return address;
  address = {};
  address[10] = address[11] = 0xff;
  if (::inet_pton(AF_INET, numeric.c_str(), address.data() + 12) == 1) return address;
  return std::nullopt;
}

std::optional<Block> ParseBlock(std::string_view text) {
  const size_t slash = text.find('/');
  const auto prefix = ParseAddress(text.substr(0, slash));
  if (!prefix) return std::nullopt;
  const int offset = text.substr(0, slash).find(':') == std::string_view::npos ? 96 : 0;
  int bits = 128 - offset;
  if (slash != std::string_view::npos) {
    const std::string_view number = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), bits);
    if (error != std::errc() || end != number.data() + number.size() || bits < 0 || bits > 128 - offset)
      return std::nullopt;
  }
  return Block{*prefix, bits + offset};
}

bool Contains(const Block& block, const Address& address) {
  const int whole = block.bits / 8;
  if (std::memcmp(block.prefix.data(), address.data(), static_cast<size_t>(whole)) != 0) return false;
  const int rest = block.bits % 8;
  if (rest == 0) return true;
  const int mask = 0xff << (8 - rest) & 0xff;
  const auto at = static_cast<size_t>(whole);
  return (block.prefix[at] & mask) == (address[at] & mask);
}

constexpr std::string_view kSpecialBlocks[] = {
    "0.0.0.0/8",     "10.0.0.0/8",      "100.64.0.0/10",  "127.0.0.0/8",    "169.254.0.0/16",
    "172.16.0.0/12", "192.0.0.0/24",    "192.0.2.0/24",   "192.88.99.0/24", "192.168.0.0/16",
    "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",    "240.0.0.0/4",
    "::/96",         "100::/64",        "2001::/23",      "2001:db8::/32",  "3fff::/20",
    "5f00::/16",     "fc00::/7",        "fe80::/9",       "ff00::/8",       "64:ff9b:1::/48",
};

// Where an IPv6 block carries an IPv4 address, and at which byte.
constexpr struct {
  std::string_view block;
  size_t at;
} kCarriers[] = {{"64:ff9b::/96", 12}, {"2002::/16", 2}};

bool IsPublic(const Address& address) {
  for (std::string_view special : kSpecialBlocks) {
    if (Contains(*ParseBlock(special), address)) return false;
  }
  for (const auto& carrier : kCarriers) {
    if (!Contains(*ParseBlock(carrier.block), address)) continue;
    Address inner{};
    inner[10] = inner[11] = 0xff;
    std::memcpy(inner.data() + 12, address.data() + carrier.at, 4);
    return IsPublic(inner);
  }
  return true;
}

bool SameHost(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return lower(x) == lower(y);
  });
}

}  // namespace

bool IsPublicAddress(std::string_view address) {
  const auto parsed = ParseAddress(address);
  return parsed && IsPublic(*parsed);
}

Status CheckAddress(std::string_view host, std::string_view address, const std::vector<std::string>& allow) {
  const auto parsed = ParseAddress(address);
  if (parsed && IsPublic(*parsed)) return Status::OK();
  for (const std::string& entry : allow) {
    if (entry == "*" || SameHost(entry, host)) return Status::OK();
    const auto block = ParseBlock(entry);
    if (block && parsed && Contains(*block, *parsed)) return Status::OK();
  }
  return Status(kAddressRefused,
                "host '" + std::string(host) + "' is at " + std::string(address) + ", which is not a public address");
}

}  // namespace tidemill
