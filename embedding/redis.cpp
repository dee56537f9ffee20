#include "kiwi/redis.hpp"

#include <utility>

#include "messages/codec.hpp"
#include "statemachine/command_table.hpp"

namespace kiwi {

namespace {

template <class Arguments>
tl::expected<Bytes, std::string> make(const Arguments& arguments) {
  if (arguments.size() == 0)
    return tl::unexpected(std::string("a command has a name"));
  if (arguments.size() > kMaxArguments)
    return tl::unexpected("more than " + std::to_string(kMaxArguments) + " arguments");
  ClientRequest request;
  request.command.args.reserve(arguments.size());
  for (auto argument : arguments) {
    if (argument.size() > kMaxBulkBytes)
      return tl::unexpected("an argument above " + std::to_string(kMaxBulkBytes) + " bytes");
    // A window without an owner: the text outlives this call, and encoding copies it.
    request.command.args.emplace_back(nullptr, argument);
  }
  if (encoded_request_bytes(request.command) > kMaxRequestBytes)
    return tl::unexpected("a command above " + std::to_string(kMaxRequestBytes) + " bytes");
  const auto* spec = find_command(request.command);
  if (spec == nullptr)
    return tl::unexpected(unknown_command_error(request.command));
  if (!arity_fits(*spec, arguments.size()))
    return tl::unexpected(wrong_arity_error(*spec));
  if (spec->place != CommandPlace::read && spec->place != CommandPlace::write)
    return tl::unexpected("'" + full_name(*spec) + "' is for a Redis port, not for the state machine");
  return encode_request(request);
}

}  // namespace

tl::expected<Bytes, std::string> make_command(std::initializer_list<std::string_view> arguments) {
  return make(arguments);
}

tl::expected<Bytes, std::string> make_command(const std::vector<std::string_view>& arguments) {
  return make(arguments);
}

bool is_write(const Bytes& command) {
  const auto request = decode_request(command);
  const auto* spec = request ? find_command(request->command) : nullptr;
  return spec != nullptr && spec->place == CommandPlace::write;
}

}  // namespace kiwi
