#pragma once

namespace kiwi::lab {

/// RocksDB writes an id of its own making into every table and manifest: of the session that wrote it, drawn
/// from the machine's entropy. Snapshots carry these bytes from node to node and are named by their content,
/// so a run would not repeat. In a program that has this function ids are counted, from here on anew.
void count_sessions_anew();

}  // namespace kiwi::lab
