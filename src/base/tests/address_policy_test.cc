#include "base/address_policy.h"

#include <gtest/gtest.h>

#include "base/errors.h"
#include "base/url.h"

namespace tidemill {
namespace {

TEST(AddressPolicy, PublicAndSpecialAddresses) {
  for (const char* open : {"8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8",
                           "64:ff9b::808:808", "2002:808:808::1"}) {
    EXPECT_TRUE(IsPublicAddress(open)) << open;
  }
  for (const char* closed : {"127.0.0.1",
                             "127.9.9.9",
                             "0.0.0.0",
                             "10.1.2.3",
                             "172.16.0.1",
                             "172.31.255.255",
                             "192.168.1.1",
                             "169.254.169.254",
                             "100.64.0.1",
                             "224.0.0.1",
                             "255.255.255.255",
                             "::1",
                             "::",
                             "fe80::1",
                             "fe80::1%eth0",
                             "fec0::1",
                             "fd00:ec2::254",
                             "ff02::1",
                             "::ffff:127.0.0.1",
                             "::ffff:169.254.169.254",
                             "::127.0.0.1",
                             "64:ff9b::7f00:1",
                             "2002:7f00:1::",
                             "2001:db8::1",
                             "nonsense",
                             "",
                             "127.1"}) {
    EXPECT_FALSE(IsPublicAddress(closed)) << closed;
  }
}

TEST(AddressPolicy, AllowListNamesHostsAddressesAndBlocks) {
  EXPECT_TRUE(CheckAddress("example.com", "8.8.8.8", {}).ok());
  EXPECT_TRUE(CheckAddress("localhost", "127.0.0.1", {}).Is(kAddressRefused));
  EXPECT_TRUE(CheckAddress("localhost", "127.0.0.1", {"LOCALHOST"}).ok());
  EXPECT_TRUE(CheckAddress("localhost", "::1", {"127.0.0.0/8"}).Is(kAddressRefused));
  EXPECT_TRUE(CheckAddress("x", "10.2.3.4", {"10.0.0.0/8"}).ok());
  EXPECT_TRUE(CheckAddress("x", "::ffff:10.2.3.4", {"10.0.0.0/8"}).ok());
  EXPECT_TRUE(CheckAddress("x", "11.2.3.4", {"10.0.0.0/8"}).ok());
  EXPECT_TRUE(CheckAddress("x", "10.2.3.4", {"10.2.3.4"}).ok());
  EXPECT_TRUE(CheckAddress("x", "10.2.3.5", {"10.2.3.4", "10.0.0.0/99", "junk/3"}).Is(kAddressRefused));
  EXPECT_TRUE(CheckAddress("x", "10.129.3.5", {"10.128.0.0/9"}).ok());
  EXPECT_TRUE(CheckAddress("x", "10.127.3.5", {"10.128.0.0/9"}).Is(kAddressRefused));
  EXPECT_TRUE(CheckAddress("x", "fd00::5", {"fd00::/8"}).ok());
  EXPECT_TRUE(CheckAddress("x", "169.254.169.254", {"*"}).ok());
}

TEST(Url, Parses) {
  auto url = ParseUrl("https://Example.com:8443/a/b?x=1#frag");
  ASSERT_TRUE(url.ok());
  EXPECT_TRUE(url->tls);
  EXPECT_EQ(url->host, "Example.com");
  EXPECT_EQ(url->port, 8443);
  EXPECT_EQ(url->target, "/a/b?x=1");
  EXPECT_EQ(ParseUrl("HTTP://h")->port, 80);
  EXPECT_EQ(ParseUrl("http://h?q")->target, "/?q");
  EXPECT_EQ(ParseUrl("http://[::1]:9/")->host, "::1");
  for (const char* bad : {"ftp://h/", "h/path", "http://", "http://u:p@h/", "http://h:0/", "http://h:99999/",
                          "http://h:x/", "http://[::1/", "http://h/a b", "http://h/\r\nX: y", "file:///etc/passwd"}) {
    EXPECT_TRUE(ParseUrl(bad).status().Is(kInvalidConfig)) << bad;
  }
}

}  // namespace
}  // namespace tidemill
