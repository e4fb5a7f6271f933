#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tidemill {

struct AwsCredentials {
  std::string access_key_id;
  std::string secret_key;
  std::string session_token;  // of temporary credentials; may be empty
};

// What is signed of a request. Paths and queries are taken as they are: encoded, the query's parts sorted.
struct AwsRequest {
  std::string method = "POST";
  std::string path = "/";
  std::string query;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case; "host" and "x-amz-date" among them
  std::string_view body;
};

// Signature Version 4 (AWS General Reference, "Create a signed AWS API request"): HMAC-SHA256 over a canonical form of
// the request. Returns the value of the header Authorization. `date_time`: "20150830T123600Z".
std::string SignAwsRequest(const AwsRequest& request, std::string_view region, std::string_view service,
                           std::string_view date_time, const AwsCredentials& credentials);
// Seconds since 1970 as SignAwsRequest wants them.
std::string AwsDateTime(int64_t seconds);

}  // namespace tidemill
