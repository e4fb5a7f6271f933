#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace tidemill {

// True for a numeric IPv4 or IPv6 address that is routed on the public internet: not loopback, private, link-local
// (where clouds keep their metadata service), shared, multicast, documentation or reserved (IANA special-purpose
// registries). An IPv6 address that carries an IPv4 one (mapped, NAT64, 6to4) is judged by what it carries.
bool IsPublicAddress(std::string_view address);

// Whether a call to `host` may connect to `address`, one of those that `host` resolved to. An entry of `allow` is "*",
// a host name, an address, or a CIDR block. kAddressRefused names host and address.
Status CheckAddress(std::string_view host, std::string_view address, const std::vector<std::string>& allow);

}  // namespace tidemill
