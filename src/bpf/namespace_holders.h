// SPDX-License-Identifier: Apache-2.0
// What leads to network namespaces that no process and no mount shows: threads, open sockets, open files of namespaces.
#pragma once

#include <cerrno>
#include <functional>

#include "base/fd.h"
#include "base/result.h"
#include "bpf/namespace_holder.h"

namespace sockeye {

class Object;

// Calls its argument with each holder that there is now, in any order.
using NamespaceHolders = std::function<Status(const std::function<void(const namespace_holder&)>& visit)>;

// As the kernel side sees them, by the hooks visit_thread and visit_namespace. The object must outlive it.
NamespaceHolders holders_by(Object& object);

// A file of the namespace that the holder leads to; empty, with errno, where it leads nowhere any more, or where
// sockeye may not follow. By now it may lead to another. A descriptor may be of a namespace that is no network's:
// kOfOtherKind.
Fd open_namespace_of(const namespace_holder& holder);
inline constexpr int kOfOtherKind = EMEDIUMTYPE;

}  // namespace sockeye
