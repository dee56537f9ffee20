#pragma once

#include <string_view>

namespace kiwi {

/// Does `text` match the glob `pattern`, as KEYS and SCAN MATCH of Redis read it? '*' any bytes, '?' one
/// byte,
/// '[abc]', '[a-z]', '[^a]' one byte of a set, '\x' the byte x itself; a set that is not closed ends with the
/// pattern. Case-sensitive, bytes not characters.
/// Time: at most about the product of the two lengths, whatever the pattern.
bool glob_matches(std::string_view pattern, std::string_view text);

}  // namespace kiwi
