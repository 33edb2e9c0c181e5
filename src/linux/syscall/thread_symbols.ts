/**
 * The functions of the C library that start threads. glibc before 2.34 has them in
 * other libraries, so they may be missing.
 *
 * @module
 */

/** Declarations for `Deno.dlopen()`. */
export const THREAD_SYMBOLS = {
  // void *dlsym(void *handle, const char *symbol);
  dlsym: {
    parameters: ["pointer", "buffer"],
    result: "pointer",
    optional: true,
  },
  // int pthread_attr_init(pthread_attr_t *attr);
  pthread_attr_init: {
    parameters: ["buffer"],
    result: "i32",
    optional: true,
  },
  // int pthread_attr_setstacksize(pthread_attr_t *attr, size_t stacksize);
  pthread_attr_setstacksize: {
    parameters: ["buffer", "usize"],
    result: "i32",
    optional: true,
  },
  // int pthread_create(pthread_t *thread, const pthread_attr_t *attr,
  //                    void *(*start_routine)(void *), void *arg);
  pthread_create: {
    parameters: ["buffer", "buffer", "pointer", "pointer"],
    result: "i32",
    optional: true,
  },
  // int pthread_join(pthread_t thread, void **retval);
  pthread_join: {
    parameters: ["u64", "pointer"],
    result: "i32",
    optional: true,
  },
  // int sem_init(sem_t *sem, int pshared, unsigned int value);
  sem_init: {
    parameters: ["pointer", "i32", "u32"],
    result: "i32",
    optional: true,
  },
  // int sem_post(sem_t *sem);
  sem_post: {
    parameters: ["pointer"],
    result: "i32",
    optional: true,
  },
} as const;
