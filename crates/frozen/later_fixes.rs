//! Faults of the library's sources that CPython has mended up to 3.14.10, each mended here in a few lines of our own. Each
//! text must occur exactly once.

/// (module, text in the library's source, text in its place)
pub const LATER_FIXES: &[(&str, &str, &str)] = &[
    // Whoever waits is told of as the waiter, and only while it waits.
    (
        "asyncio.tasks",
        "            f.remove_done_callback(_on_completion)\n",
        "            f.remove_done_callback(_on_completion)\n            \
         futures.future_discard_from_awaited_by(f, cur_task)\n",
    ),
    (
        "asyncio.tasks",
        "    fut.add_done_callback(cb)\n\n    try:\n        fut.cancel()\n",
        "    fut.add_done_callback(cb)\n    \
         waiting = current_task()\n    \
         futures.future_add_to_awaited_by(fut, waiting)\n\n    \
         try:\n        \
         fut.cancel()\n",
    ),
    (
        "asyncio.tasks",
        "        fut.remove_done_callback(cb)\n",
        "        fut.remove_done_callback(cb)\n        \
         futures.future_discard_from_awaited_by(fut, waiting)\n",
    ),
    (
        "asyncio.tasks",
        "            f.add_done_callback(self._handle_completion)\n",
        "            f.add_done_callback(self._handle_completion)\n            \
         futures.future_add_to_awaited_by(f, self._waiting)\n",
    ),
    (
        "asyncio.tasks",
        "        todo = {ensure_future(aw, loop=loop) for aw in set(aws)}\n",
        "        self._waiting = current_task()\n        \
         todo = {ensure_future(aw, loop=loop) for aw in set(aws)}\n",
    ),
    (
        "asyncio.tasks",
        "            f.remove_done_callback(self._handle_completion)\n",
        "            f.remove_done_callback(self._handle_completion)\n            \
         futures.future_discard_from_awaited_by(f, self._waiting)\n",
    ),
    (
        "asyncio.tasks",
        "        self._todo.remove(f)\n",
        "        self._todo.remove(f)\n        futures.future_discard_from_awaited_by(f, self._waiting)\n",
    ),
    (
        "asyncio.tasks",
        "        f = await self._done.get()\n",
        "        try:\n            \
         f = await self._done.get()\n        \
         except BaseException:\n            \
         self._todo_left += 1\n            \
         raise\n",
    ),
    (
        "asyncio.tasks",
        "                exc = fut._make_cancelled_error()\n                \
         outer.set_exception(exc)\n                \
         return\n",
        "                exc = fut._make_cancelled_error()\n                \
         for child in children:\n                    \
         futures.future_discard_from_awaited_by(child, cur_task)\n                \
         outer.set_exception(exc)\n                \
         return\n",
    ),
    (
        "asyncio.tasks",
        "                if exc is not None:\n                    \
         outer.set_exception(exc)\n                    \
         return\n",
        "                if exc is not None:\n                    \
         for child in children:\n                        \
         futures.future_discard_from_awaited_by(child, cur_task)\n                    \
         outer.set_exception(exc)\n                    \
         return\n",
    ),
    // An exception in a shielded future whose waiter is gone is the future's own affair.
    (
        "asyncio.tasks",
        "            # Keep only one callback to log on cancel\n            \
         inner.remove_done_callback(_log_on_exception)\n            \
         inner.add_done_callback(_log_on_exception)\n",
        "            if cur_task is not None:\n                \
         inner.remove_done_callback(_clear_awaited_by_callback)\n                \
         _clear_awaited_by_callback(inner)\n",
    ),
    (
        "asyncio.base_events",
        "                self.close()\n                await self.wait_closed()\n",
        "                self.close()\n                \
         self.close_clients()\n                \
         await self.wait_closed()\n",
    ),
    // A socket whose transport could not be made is closed.
    (
        "asyncio.base_events",
        "            ssl_handshake_timeout=None,\n            \
         ssl_shutdown_timeout=None):\n\n        \
         sock.setblocking(False)\n\n        \
         protocol = protocol_factory()\n        \
         waiter = self.create_future()\n        \
         if ssl:\n            \
         sslcontext = None if isinstance(ssl, bool) else ssl\n            \
         transport = self._make_ssl_transport(\n                \
         sock, protocol, sslcontext, waiter,\n                \
         server_side=server_side, server_hostname=server_hostname,\n                \
         ssl_handshake_timeout=ssl_handshake_timeout,\n                \
         ssl_shutdown_timeout=ssl_shutdown_timeout)\n        \
         else:\n            \
         transport = self._make_socket_transport(sock, protocol, waiter)\n\n        \
         try:\n            \
         await waiter\n        \
         except:\n            \
         transport.close()\n            \
         raise\n",
        "            ssl_handshake_timeout=None,\n            \
         ssl_shutdown_timeout=None):\n\n        \
         transport = None\n        \
         try:\n            \
         sock.setblocking(False)\n            \
         protocol = protocol_factory()\n            \
         waiter = self.create_future()\n            \
         if ssl:\n                \
         transport = self._make_ssl_transport(\n                    \
         sock, protocol, None if isinstance(ssl, bool) else ssl, waiter,\n                    \
         server_side=server_side, server_hostname=server_hostname,\n                    \
         ssl_handshake_timeout=ssl_handshake_timeout,\n                    \
         ssl_shutdown_timeout=ssl_shutdown_timeout)\n            \
         else:\n                \
         transport = self._make_socket_transport(sock, protocol, waiter)\n            \
         await waiter\n        \
         except BaseException:\n            \
         waiter = None\n            \
         (sock if transport is None else transport).close()\n            \
         raise\n",
    ),
    (
        "asyncio.base_events",
        "            conmade_cb.cancel()\n            resume_cb.cancel()\n            raise\n",
        "            conmade_cb.cancel()\n            \
         resume_cb.cancel()\n            \
         waiter = None\n            \
         raise\n",
    ),
    // Who waits for a process is woken when it exits, whether or not its pipes are closed.
    ("asyncio.base_subprocess", "        self._exit_waiters = []\n", "        self._exit_waiters = set()\n"),
    (
        "asyncio.base_subprocess",
        "        self._exit_waiters.append(waiter)\n        return await waiter\n",
        "        self._exit_waiters.add(waiter)\n        \
         try:\n            \
         return await waiter\n        \
         finally:\n            \
         (self._exit_waiters or set()).discard(waiter)\n",
    ),
    (
        "asyncio.base_subprocess",
        "        self._call(self._protocol.process_exited)\n\n        self._try_finish()\n",
        "        self._call(self._protocol.process_exited)\n\n        \
         self._try_finish()\n        \
         woken, self._exit_waiters = self._exit_waiters, None\n        \
         for waiter in woken:\n            \
         if not waiter.done():\n                \
         waiter.set_result(returncode)\n",
    ),
    ("asyncio.base_subprocess", "        self._pipes_connected = False\n", ""),
    ("asyncio.base_subprocess", "            self._pipes_connected = True\n", ""),
    (
        "asyncio.base_subprocess",
        "        if not self._pipes_connected:\n            \
         # self._pipes_connected can be False if not all pipes were connected\n            \
         # because either the process failed to start or the self._connect_pipes task\n            \
         # got cancelled. In this broken state we consider all pipes disconnected and\n            \
         # to avoid hanging forever in self._wait as otherwise _exit_waiters\n            \
         # would never be woken up, we wake them up here.\n            \
         for waiter in self._exit_waiters:\n                \
         if not waiter.done():\n                    \
         waiter.set_result(self._returncode)\n",
        "",
    ),
    (
        "asyncio.base_subprocess",
        "            # wake up futures waiting for wait()\n            \
         for waiter in self._exit_waiters:\n                \
         if not waiter.done():\n                    \
         waiter.set_result(self._returncode)\n            \
         self._exit_waiters = None\n",
        "",
    ),
    (
        "asyncio.base_subprocess",
        "        def send_signal(self, signal):\n            self._check_proc()\n            try:\n",
        "        def send_signal(self, signal):\n            \
         self._check_proc()\n            \
         if self._returncode is not None:\n                \
         return\n            \
         try:\n",
    ),
    (
        "asyncio.base_subprocess",
        "        except BaseException as exc:\n            \
         if waiter is not None and not waiter.cancelled():\n",
        "        except BaseException as exc:\n            \
         opened = [p.pipe for p in self._pipes.values() if p is not None]\n            \
         for pipe in (*opened, proc.stdin, proc.stdout, proc.stderr):\n                \
         if pipe is not None:\n                    \
         pipe.close()\n            \
         if waiter is not None and not waiter.cancelled():\n",
    ),
    (
        "asyncio.unix_events",
        "            transp.close()\n            await transp._wait()\n",
        "            transp.close()\n            await tasks.shield(transp._wait())\n",
    ),
    (
        "asyncio.unix_events",
        "        self.call_soon_threadsafe(transp._process_exited, returncode)\n",
        "        transp._process_exited(returncode)\n",
    ),
    (
        "asyncio.unix_events",
        "        os.close(pidfd)\n        callback(pid, returncode, *args)\n",
        "        finally:\n            os.close(pidfd)\n        callback(pid, returncode, *args)\n",
    ),
    // The thread only waits; the child is reaped where its exit is told of, so that no signal reaches a stranger.
    (
        "asyncio.unix_events",
        "        assert expected_pid > 0\n\n        \
         try:\n            \
         pid, status = os.waitpid(expected_pid, 0)\n",
        "        assert expected_pid > 0\n\n        \
         try:\n            \
         os.waitid(os.P_PID, expected_pid, os.WEXITED | os.WNOWAIT)\n        \
         except ChildProcessError:\n            \
         pass\n        \
         notify = functools.partial(self._reap, loop, expected_pid, callback, args)\n        \
         try:\n            \
         loop.call_soon_threadsafe(notify)\n        \
         except RuntimeError:\n            \
         self._reap(loop, expected_pid, None, args)\n        \
         self._threads.pop(expected_pid)\n\n    \
         def _reap(self, loop, expected_pid, callback, args):\n        \
         try:\n            \
         pid, status = os.waitpid(expected_pid, 0)\n",
    ),
    (
        "asyncio.unix_events",
        "        if loop.is_closed():\n            \
         logger.warning(\"Loop %r that handles pid %r is closed\", loop, pid)\n        \
         else:\n            \
         loop.call_soon_threadsafe(callback, pid, returncode, *args)\n\n        \
         self._threads.pop(expected_pid)\n",
        "        if callback is None:\n            \
         logger.warning(\"Loop %r that handles pid %r is closed\", loop, pid)\n        \
         else:\n            \
         callback(pid, returncode, *args)\n",
    ),
    ("asyncio.unix_events", "import errno\n", "import errno\nimport functools\n"),
    (
        "asyncio.selector_events",
        "    def _sock_accept(self, fut, sock):\n",
        "    def _sock_accept(self, fut, sock):\n        if fut.done():\n            return\n",
    ),
    (
        "asyncio.selector_events",
        "        self._buffer.extend([memoryview(data) for data in list_of_data])\n",
        "        self._buffer.extend(memoryview(data) for data in list_of_data if data)\n        \
         if not self._buffer:\n            \
         return\n",
    ),
    (
        "asyncio.selector_events",
        "            self._write_ready = None\n            if self._empty_waiter",
        "            self._write_ready = self._read_ready_cb = None\n            if self._empty_waiter",
    ),
    // The peer may never read what is left: the time limit holds until the connection is lost.
    (
        "asyncio.sslproto",
        "        if self._shutdown_timeout_handle is not None:\n            \
         self._shutdown_timeout_handle.cancel()\n            \
         self._shutdown_timeout_handle = None\n\n        \
         if shutdown_exc:\n            \
         self._fatal_error(shutdown_exc)\n",
        "        limit = self._shutdown_timeout_handle\n        \
         if not shutdown_exc:\n            \
         if limit is None:\n                \
         self._shutdown_timeout_handle = self._loop.call_later(\n                    \
         self._ssl_shutdown_timeout, self._check_shutdown_timeout)\n        \
         elif limit is not None:\n            \
         limit.cancel()\n            \
         self._shutdown_timeout_handle = None\n\n        \
         if shutdown_exc:\n            \
         self._fatal_error(shutdown_exc)\n",
    ),
    (
        "asyncio.streams",
        "    def _replace_transport(self, transport):\n        \
         loop = self._loop\n        \
         self._transport = transport\n",
        "    def _replace_transport(self, transport):\n        \
         self._transport = transport\n        \
         if (reader := self._stream_reader) is not None:\n            \
         reader._transport = transport\n",
    ),
    (
        "asyncio.streams",
        "            res = self._client_connected_cb(reader, writer)\n",
        "            try:\n                \
         res = self._client_connected_cb(reader, writer)\n            \
         except Exception as error:\n                \
         res = self._strong_reader = None\n                \
         self._loop.call_exception_handler({\n                    \
         'message': 'Unhandled exception in client_connected_cb',\n                    \
         'exception': error,\n                    \
         'transport': transport,\n                \
         })\n                \
         transport.close()\n",
    ),
    (
        "asyncio.graph",
        "            st.append(FrameCallGraphEntry(coro.cr_frame))\n            coro = coro.cr_await\n",
        "            if (frame := coro.cr_frame) is not None:\n                \
         st.append(FrameCallGraphEntry(frame))\n            \
         coro = coro.cr_await\n",
    ),
    (
        "asyncio.graph",
        "            is_async = f.f_generator is not None\n",
        "            is_async = type(f.f_generator) in (types.CoroutineType, types.AsyncGeneratorType)\n",
    ),
    (
        "imaplib",
        "            dat = self.untagged_responses.pop('CAPABILITY')[-1]\n",
        "            dat = self.untagged_responses['CAPABILITY'][-1]\n",
    ),
    (
        "imaplib",
        "        self._refresh_capabilities()\n        if __debug__:\n",
        "        self._refresh_capabilities()\n        \
         self.untagged_responses.pop('CAPABILITY', None)\n        \
         if __debug__:\n",
    ),
    (
        "ssl",
        "                 server_hostname=None, session=None, context=None):\n        \
         self = cls.__new__(cls)\n",
        "                 server_hostname=None, session=None, context=None):\n        \
         if server_side:\n            \
         for name, value in (('server_hostname', server_hostname or None), ('session', session)):\n                \
         if value is not None:\n                    \
         raise ValueError(f'{name} can only be specified in client mode')\n        \
         if context.check_hostname and not server_hostname:\n            \
         raise ValueError('check_hostname requires server_hostname')\n        \
         self = cls.__new__(cls)\n",
    ),
    (
        "threading",
        "                if timeout > 0:\n                    \
         gotit = waiter.acquire(True, timeout)\n                \
         else:\n                    \
         gotit = waiter.acquire(False)\n",
        "                if timeout <= 0:\n                    \
         gotit = waiter.acquire(False)\n                \
         else:\n                    \
         gotit = waiter.acquire(True, timeout)\n",
    ),
    (
        "subprocess",
        "            return \"Command '%s' returned non-zero exit status %d.\" % (\n",
        "            return \"Command '%s' returned non-zero exit status %s.\" % (\n",
    ),
    (
        "subprocess",
        "        if self.returncode and self.returncode < 0:\n            \
         try:\n                \
         return \"Command '%s' died with %r.\"",
        "        if isinstance(self.returncode, int) and self.returncode < 0:\n            \
         try:\n                \
         return \"Command '%s' died with %r.\"",
    ),
    (
        "_pyio",
        "                    n = min(n, size)\n                return n\n",
        "                    n = min(n, size - len(res))\n                return n\n",
    ),
    (
        "http.client",
        "        while True:\n            version, status, reason = self._read_status()\n",
        "        for _ in range(_MAXINTERIMRESPONSES):\n            \
         version, status, reason = self._read_status()\n",
    ),
    (
        "http.client",
        "            del skipped_headers\n\n        self.code",
        "            del skipped_headers\n        \
         else:\n            \
         raise HTTPException(f\"got more than {_MAXINTERIMRESPONSES} interim responses\")\n\n        \
         self.code",
    ),
    ("http.client", "_MAXHEADERS = 100\n", "_MAXHEADERS = 100\n_MAXINTERIMRESPONSES = 100\n"),
    (
        "http.client",
        "        ### note: we shouldn't have any trailers!\n        \
         while True:\n            \
         line = self.fp.readline(_MAXLINE + 1)\n            \
         if len(line) > _MAXLINE:\n                \
         raise LineTooLong(\"trailer line\")\n            \
         if not line:\n",
        "        for number in range(_MAXHEADERS + 1):\n            \
         line = self.fp.readline(_MAXLINE + 1)\n            \
         if len(line) > _MAXLINE:\n                \
         raise LineTooLong(\"trailer line\")\n            \
         if number == _MAXHEADERS and line not in (b'\\r\\n', b'\\n', b''):\n                \
         raise HTTPException(f\"got more than {_MAXHEADERS} trailers\")\n            \
         if not line:\n",
    ),
    (
        "http.client",
        "            value_bytes = value.encode(\"latin-1\")\n",
        "            value_bytes = str(value).encode(\"latin-1\")\n",
    ),
    // What is wrong in the request line is told with a status line and headers.
    (
        "http.server",
        "            except (ValueError, IndexError):\n                self.send_error(\n",
        "            except (ValueError, IndexError):\n                \
         self.request_version = ''\n                \
         self.send_error(\n",
    ),
    (
        "http.server",
        "                return False\n            self.request_version = version\n",
        "                return False\n",
    ),
    (
        "http.server",
        "            if version_number >= (1, 1) and self.protocol_version",
        "            self.request_version = version\n            \
         if version_number >= (1, 1) and self.protocol_version",
    ),
    (
        "http.server",
        "        if not 2 <= len(words) <= 3:\n",
        "        if not 2 <= len(words) <= 3:\n            self.request_version = ''\n",
    ),
    (
        "http.server",
        "            if command != 'GET':\n",
        "            if command != 'GET':\n                self.request_version = ''\n",
    ),
    // A transport that its protocol closed while it was told to go on is closed once.
    (
        "asyncio.selector_events",
        "                if self._closing:\n                    \
         self._call_connection_lost(None)\n                \
         elif self._eof:\n                    \
         self._sock.shutdown(socket.SHUT_WR)\n\n    \
         def _adjust_leftover_buffer",
        "                if self._closing:\n                    \
         if not self._conn_lost:\n                        \
         self._conn_lost += 1\n                        \
         self._call_connection_lost(None)\n                \
         elif self._eof:\n                    \
         self._sock.shutdown(socket.SHUT_WR)\n\n    \
         def _adjust_leftover_buffer",
    ),
    (
        "asyncio.selector_events",
        "                if self._closing:\n                    \
         self._call_connection_lost(None)\n                \
         elif self._eof:\n                    \
         self._sock.shutdown(socket.SHUT_WR)\n\n    \
         def write_eof",
        "                if self._closing:\n                    \
         if not self._conn_lost:\n                        \
         self._conn_lost += 1\n                        \
         self._call_connection_lost(None)\n                \
         elif self._eof:\n                    \
         self._sock.shutdown(socket.SHUT_WR)\n\n    \
         def write_eof",
    ),
    // A worker that reached its task limit is replaced as long as work is left, or the work fails with a reason.
    (
        "concurrent.futures.process",
        "class _ExecutorManagerThread(threading.Thread):\n",
        "def _spawn_worker(executor, calls, results, task_limit, processes):\n    \
         worker = executor._mp_context.Process(\n        \
         target=_process_worker,\n        \
         args=(calls, results, executor._initializer, executor._initargs, task_limit))\n    \
         worker.start()\n    \
         processes[worker.pid] = worker\n\n\n\
         class _ExecutorManagerThread(threading.Thread):\n",
    ),
    (
        "concurrent.futures.process",
        "        p = self._mp_context.Process(\n            \
         target=_process_worker,\n            \
         args=(self._call_queue,\n                  \
         self._result_queue,\n                  \
         self._initializer,\n                  \
         self._initargs,\n                  \
         self._max_tasks_per_child))\n        \
         p.start()\n        \
         self._processes[p.pid] = p\n",
        "        _spawn_worker(self, self._call_queue, self._result_queue,\n                      \
         self._max_tasks_per_child, self._processes)\n",
    ),
    (
        "concurrent.futures.process",
        "        self.max_tasks_per_child = executor._max_tasks_per_child\n",
        "        self.max_tasks_per_child = executor._max_tasks_per_child\n        \
         self.max_workers = executor._max_workers\n",
    ),
    (
        "concurrent.futures.process",
        "                if executor := self.executor_reference():\n                    \
         if process_exited:\n                        \
         with self.shutdown_lock:\n                            \
         executor._adjust_process_count()\n                    \
         else:\n                        \
         executor._idle_worker_semaphore.release()\n                    \
         del executor\n",
        "                if process_exited:\n                    \
         with self.shutdown_lock:\n                        \
         failure = self._replace_worker()\n                    \
         if failure is not None:\n                        \
         self.terminate_broken(*failure)\n                        \
         return\n                \
         elif executor := self.executor_reference():\n                    \
         executor._idle_worker_semaphore.release()\n                    \
         del executor\n",
    ),
    (
        "concurrent.futures.process",
        "    def add_call_item_to_queue(self):\n        # Fills",
        "    def _replace_worker(self):\n        \
         # A worker has reached its task limit: gives why what is left can't be\n        \
         # done, if so, as the cause and the message of the error.\n        \
         executor, cause, reason = self.executor_reference(), None, None\n        \
         if executor is None:\n            \
         reason = 'the ProcessPoolExecutor was garbage collected'\n        \
         elif executor._force_shutting_down:\n            \
         reason = 'the pool was forcefully shut down'\n        \
         elif ((self.pending_work_items or not self.is_shutting_down())\n              \
         and len(self.processes) < self.max_workers):\n            \
         try:\n                \
         _spawn_worker(executor, self.call_queue, self.result_queue,\n                              \
         self.max_tasks_per_child, self.processes)\n            \
         except Exception as error:\n                \
         cause = format_exception(error)\n                \
         reason = 'a replacement worker could not be started'\n        \
         if not self.processes and (self.pending_work_items or cause):\n            \
         return cause, f'The pending work can not be run: {reason}.'\n        \
         return None\n\n    \
         def add_call_item_to_queue(self):\n        \
         # Fills",
    ),
    (
        "concurrent.futures.process",
        "    def _terminate_broken(self, cause):\n",
        "    def _terminate_broken(self, cause, text=None):\n",
    ),
    (
        "concurrent.futures.process",
        "        bpe = BrokenProcessPool(\"A process in the process pool was \"\n                                \
         \"terminated abruptly while the future was \"\n                                \
         \"running or pending.\")\n        \
         if cause is not None:\n            \
         bpe.__cause__ = _RemoteTraceback(\n                \
         f\"\\n'''\\n{''.join(cause)}'''\")\n",
        "        if text is None:\n            \
         text = (\"A process in the process pool was terminated abruptly \"\n                    \
         \"while the future was running or pending.\")\n\n        \
         def error():\n            \
         # Each future has its own, as the traceback is the waiter's.\n            \
         broken = BrokenProcessPool(text)\n            \
         if cause is not None:\n                \
         broken.__cause__ = _RemoteTraceback(\n                    \
         f\"\\n'''\\n{''.join(cause)}'''\")\n            \
         return broken\n",
    ),
    (
        "concurrent.futures.process",
        "                work_item.future.set_exception(bpe)\n",
        "                work_item.future.set_exception(error())\n",
    ),
    (
        "concurrent.futures.process",
        "    def terminate_broken(self, cause):\n        \
         with self.shutdown_lock:\n            \
         self._terminate_broken(cause)\n",
        "    def terminate_broken(self, cause, text=None):\n        \
         with self.shutdown_lock:\n            \
         self._terminate_broken(cause, text)\n",
    ),
    (
        "concurrent.futures.process",
        "        self._cancel_pending_futures = False\n",
        "        self._cancel_pending_futures = self._force_shutting_down = False\n",
    ),
    (
        "concurrent.futures.process",
        "        if self._processes is None:\n            return\n\n        # if there's an idle",
        "        if self._processes is None or self._force_shutting_down:\n            \
         return\n\n        \
         # if there's an idle",
    ),
    (
        "concurrent.futures.process",
        "        processes = {}\n        \
         if self._processes:\n            \
         processes = self._processes.copy()\n",
        "        processes = {}\n        \
         with self._shutdown_lock:\n            \
         self._force_shutting_down = True\n        \
         if self._processes:\n            \
         processes = self._processes.copy()\n",
    ),
    // What has no line is told without one.
    (
        "asyncio.tools",
        "        if elem.lineno == 0 and elem.filename == \"\":\n",
        "        if elem.lineno is None and elem.filename not in (\"\", \"~\"):\n            \
         return f\"{elem.funcname} {elem.filename}\"\n        \
         if not elem.lineno and elem.filename in (\"\", \"~\"):\n",
    ),
    (
        "asyncio.tools",
        "            coro_stack = \" -> \".join(_format_stack_entry(x).split(\" \")[0]\n                                   \
         for x in frames)\n",
        "            coro_stack = \" -> \".join(x.funcname for x in frames)\n",
    ),
    (
        "asyncio.tools",
        "                awaiter_frames = [_format_stack_entry(x).split(\" \")[0]\n                                \
         for x in coro_info.call_stack]\n",
        "                awaiter_frames = [x.funcname for x in coro_info.call_stack]\n",
    ),
    // The pure Python version stays for where `_ctypes` has none.
    (
        "ctypes.util",
        "if (os.name == \"posix\" and\n    \
         sys.platform not in {\"darwin\", \"ios\", \"tvos\", \"watchos\"}):\n    \
         import ctypes\n",
        "try:\n    from _ctypes import dllist\nexcept ImportError:\n    import ctypes\n",
    ),
    (
        "ctypes.util",
        "stderr=subprocess.PIPE,\n                                     universal_newlines=True)\n",
        "stderr=subprocess.PIPE)\n",
    ),
    // Clocks that are set must not change how long a queue waits.
    (
        "concurrent.interpreters._queues",
        "            end = time.time() + timeout\n        \
         while True:\n            \
         try:\n                \
         _queues.put(self._id, obj, unboundop)\n            \
         except QueueFull as exc:\n                \
         if timeout is not None and time.time() >= end:\n",
        "            end = time.monotonic() + timeout\n        \
         while True:\n            \
         try:\n                \
         _queues.put(self._id, obj, unboundop)\n            \
         except QueueFull as exc:\n                \
         if timeout is not None and time.monotonic() >= end:\n",
    ),
    (
        "concurrent.interpreters._queues",
        "            end = time.time() + timeout\n        \
         while True:\n            \
         try:\n                \
         obj, unboundop = _queues.get(self._id)\n            \
         except QueueEmpty as exc:\n                \
         if timeout is not None and time.time() >= end:\n",
        "            end = time.monotonic() + timeout\n        \
         while True:\n            \
         try:\n                \
         obj, unboundop = _queues.get(self._id)\n            \
         except QueueEmpty as exc:\n                \
         if timeout is not None and time.monotonic() >= end:\n",
    ),
    // An interpreter may end between being listed and being looked at.
    (
        "concurrent.interpreters",
        "    return [Interpreter(id, _whence=whence)\n            \
         for id, whence in _interpreters.list_all(require_ready=True)]\n",
        "    found = []\n    \
         for number, whence in _interpreters.list_all(require_ready=True):\n        \
         with contextlib.suppress(InterpreterNotFoundError):\n            \
         found.append(Interpreter(number, _whence=whence))\n    \
         return found\n",
    ),
    (
        "concurrent.interpreters",
        "import threading\nimport weakref\n",
        "import contextlib\nimport threading\nimport weakref\n",
    ),
    // The prompt leaves the terminal without colours, and no error of a compilation ends it.
    (
        "_pyrepl.unix_console",
        "from . import terminfo\n",
        "from _colorize import ANSIColors\n\nfrom . import terminfo\n",
    ),
    (
        "_pyrepl.unix_console",
        "        self.__disable_bracketed_paste()\n        self.__maybe",
        "        self.__write(ANSIColors.RESET)\n        self.__disable_bracketed_paste()\n        self.__maybe",
    ),
    (
        "_pyrepl.unix_console",
        "        self.__write(\"\\n\\r\")\n",
        "        self.__write(ANSIColors.RESET)\n        self.__write(\"\\n\\r\")\n",
    ),
    (
        "_pyrepl.unix_console",
        "        raw.cc[termios.VTIME] = 0\n        self.__input_fd_set(raw)\n",
        "        raw.cc[termios.VTIME] = 0\n        self.__raw = raw\n        self.__input_fd_set(raw)\n",
    ),
    (
        "_pyrepl.unix_console",
        "            return posix._inputhook\n\n",
        "            return self.__call_input_hook\n\n    def __call_input_hook(self):\n        # What the hook prints ends its lines as in an ordinary terminal.\n        state = self.__raw.copy()\n        state.oflag = self.__svtermstate.oflag\n        self.__input_fd_set(state)\n        try:\n            return posix._inputhook()\n        finally:\n            self.__input_fd_set(self.__raw)\n\n",
    ),
    (
        "_pyrepl.historical_reader",
        "    def suspend_history(self) -> SimpleContextManager:\n        try:\n            old_history = self.history[:]\n            del self.history[:]\n            yield\n",
        "    def suspend_history(self) -> SimpleContextManager:\n        with self.suspend_history_writes():\n            self.history.clear()\n            yield\n\n    @contextmanager\n    def suspend_history_writes(self) -> SimpleContextManager:\n        old_history = list(self.history)\n        try:\n            yield\n",
    ),
    (
        "_pyrepl.readline",
        "        result = reader.readline(startup_hook=self.startup_hook)\n        sys.audit",
        "        with reader.suspend_history_writes():\n            result = reader.readline(startup_hook=self.startup_hook)\n        sys.audit",
    ),
    (
        "_pyrepl.console",
        "        except (SyntaxError, OverflowError, ValueError):\n",
        "        except Exception:\n",
    ),
    (
        "_pyrepl.console",
        "            except (OverflowError, ValueError):\n",
        "            except Exception:\n",
    ),
    (
        "_pyrepl.simple_interact",
        "    except (OverflowError, SyntaxError, ValueError):\n",
        "    except Exception:\n",
    ),
    (
        "_pyrepl.simple_interact",
        "            ps1 = getattr(sys, \"ps1\", \">>> \")\n            ps2 = getattr(sys, \"ps2\", \"... \")\n",
        "            ps1, ps2 = \">>> \", \"... \"\n            with contextlib.suppress(Exception):\n                ps1 = str(getattr(sys, \"ps1\", ps1))\n            with contextlib.suppress(Exception):\n                ps2 = str(getattr(sys, \"ps2\", ps2))\n",
    ),
    ("_pyrepl.simple_interact", "import _sitebuiltins\n", "import _sitebuiltins\nimport contextlib\n"),
    (
        "_pyrepl.utils",
        "            | TI(T.OP, string=\"(\" | \"*\" | \"[\" | \"{\" | \"~\" | \"...\")\n",
        "            | TI(T.OP, string=\"(\" | \"*\" | \"-\" | \"+\" | \"[\" | \"{\" | \"~\" | \"...\")\n",
    ),
    ("code", "        except (OverflowError, SyntaxError, ValueError):\n", "        except Exception:\n"),
    // The library may be inside the executable.
    (
        "_pyrepl._module_completer",
        "        return (isinstance(module_info.module_finder, FileFinder)\n                and module_info.module_finder.path == self._stdlib_path)\n",
        "        return getattr(module_info.module_finder, \"path\", None) == self._stdlib_path\n",
    ),
];
