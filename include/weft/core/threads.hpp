/// \file
/// Thread, Mutex, Lock and Condition: the system's own where it has POSIX threads. g++ 12 allocates
/// 22 MB for the headers `thread`, `mutex` and `condition_variable` and for what is made of them.
#pragma once

#include "weft/config.hpp"

#if defined(_WIN32)
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#else
#include <pthread.h>
#endif

namespace weft::detail {

/// Thread: start calls (object.*function)(), which must not throw, on a thread of its own. False:
/// no thread is to be had. The thread is joined at the latest when its Thread ends.
///
/// Condition: wait unlocks the mutex until it is notified, or for no reason: to be called in a loop.
#if defined(_WIN32)
using Mutex = std::mutex;

class Condition {
public:
    void wait(Mutex& mutex) { changed_.wait(mutex); }
    void notify_all() { changed_.notify_all(); }

private:
    std::condition_variable_any changed_;
};

class Thread {
public:
    Thread() = default;
    Thread(const Thread&) = delete;
    Thread& operator=(const Thread&) = delete;
    ~Thread() { join(); }

    template <auto function, class Object>
    bool start(Object& object) {
        join();
        try {
            thread_ = std::thread([&object]() noexcept { (object.*function)(); });
        } catch (const std::system_error&) {
        }
        return is_started();
    }
    bool is_started() const { return thread_.joinable(); }
    void join() {
        if (is_started()) thread_.join();
    }

private:
    std::thread thread_;
};
#else
class Mutex {
public:
    Mutex() = default;
    Mutex(const Mutex&) = delete;
    Mutex& operator=(const Mutex&) = delete;
    ~Mutex() { pthread_mutex_destroy(&mutex_); }

    void lock() { pthread_mutex_lock(&mutex_); }
    void unlock() { pthread_mutex_unlock(&mutex_); }

private:
    friend class Condition;
    pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
};

class Condition {
public:
    Condition() = default;
    Condition(const Condition&) = delete;
    Condition& operator=(const Condition&) = delete;
    ~Condition() { pthread_cond_destroy(&changed_); }

    void wait(Mutex& mutex) { pthread_cond_wait(&changed_, &mutex.mutex_); }
    void notify_all() { pthread_cond_broadcast(&changed_); }

private:
    pthread_cond_t changed_ = PTHREAD_COND_INITIALIZER;
};

class Thread {
public:
    Thread() = default;
    Thread(const Thread&) = delete;
    Thread& operator=(const Thread&) = delete;
    ~Thread() { join(); }

    template <auto function, class Object>
    bool start(Object& object) {
        join();
        const auto call = [](void* of) noexcept -> void* {
            (static_cast<Object*>(of)->*function)();
            return nullptr;
        };
        is_started_ = pthread_create(&thread_, nullptr, call, &object) == 0;
        return is_started_;
    }
    bool is_started() const { return is_started_; }
    void join() {
        if (is_started_) pthread_join(thread_, nullptr);
        is_started_ = false;
    }

private:
    pthread_t thread_{};
    bool is_started_ = false;
};
#endif

/// Holds the mutex until the end of the scope.
class Lock {
public:
    explicit Lock(Mutex& mutex) : mutex_(mutex) { mutex_.lock(); }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;
    ~Lock() { mutex_.unlock(); }

private:
    Mutex& mutex_;
};

}  // namespace weft::detail
