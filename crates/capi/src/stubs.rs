//! Names of the library that are not implemented yet. They exist, since the dynamic linker binds a module's names all at
//! once; called, each raises `NotImplementedError` naming itself. `docs/c-api.md` counts them.

use std::ffi::{CStr, c_char, c_int, c_void};

use taipan_vm::prelude::*;

/// Raises for a function that C code has called, when the calling thread can hold an exception.
#[cold]
fn missing(name: &str) {
    match Vm::try_current() {
        Some(vm) => {
            vm.not_implemented_error(name);
        }
        None => eprintln!("{name} is not implemented"),
    }
}

/// `PyStatus`: the result of the initialisation functions.
#[repr(C)]
pub struct Status {
    kind: c_int,
    func: *const c_char,
    message: *const c_char,
    exitcode: c_int,
}

const STATUS_ERROR: c_int = 1;

fn failed(name: &'static CStr) -> Status {
    Status { kind: STATUS_ERROR, func: name.as_ptr(), message: c"not implemented".as_ptr(), exitcode: 0 }
}

macro_rules! stubs {
    ($($result:ident { $($name:ident)* })*) => {$($(stubs!(@ $result $name);)*)*};
    (@ pointers $name:ident) => {
        #[unsafe(no_mangle)]
        extern "C" fn $name() -> *mut c_void {
            missing(stringify!($name));
            std::ptr::null_mut()
        }
    };
    (@ numbers $name:ident) => {
        #[unsafe(no_mangle)]
        extern "C" fn $name() -> isize {
            missing(stringify!($name));
            -1
        }
    };
    (@ counts $name:ident) => {
        #[unsafe(no_mangle)]
        extern "C" fn $name() -> usize {
            missing(stringify!($name));
            0
        }
    };
    (@ nothing $name:ident) => {
        #[unsafe(no_mangle)]
        extern "C" fn $name() {
            missing(stringify!($name));
        }
    };
    (@ statuses $name:ident) => {
        #[unsafe(no_mangle)]
        extern "C" fn $name() -> Status {
            const NAME: &CStr = match CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) {
                Ok(name) => name,
                Err(_) => c"?",
            };
            failed(NAME)
        }
    };
}

stubs! {
    pointers {
        Py_EncodeLocale
        PyAsyncGen_New PyCode_Optimize PyConfig_Get PyConfig_Names PyCoro_New PyErr_ProgramText
        PyErr_ProgramTextObject PyEval_AcquireLock PyEval_EvalCodeEx PyEval_EvalFrame PyEval_EvalFrameEx
        PyEval_ReleaseLock PyFile_NewStdPrinter PyFile_OpenCode PyFile_OpenCodeObject PyGen_New
        PyGen_NewWithQualName PyHash_GetFuncDef PyInitConfig_Create         PyInterpreterState_New PyMarshal_Init PyMarshal_ReadLastObjectFromFile PyMarshal_ReadObjectFromFile
        PyModule_GetFilename PyODict_New
        PyOS_Readline PyRefTracer_GetTracer PyRun_File
        PyRun_FileEx PyRun_FileExFlags PyRun_FileFlags PySys_AddWarnOption PySys_AddWarnOptionUnicode
        PySys_AddXOption PySys_GetXOptions PySys_HasWarnOptions PySys_SetPath PyThread_GetInfo
        PyThread_exit_thread PyUnicode_AsDecodedObject PyUnicode_AsDecodedUnicode PyUnicode_AsEncodedUnicode
        PyUnstable_InterpreterFrame_GetCode PyWrapper_New Py_Exit Py_ExitStatusException Py_GETENV
        Py_GetExecPrefix Py_GetPath Py_GetPrefix Py_GetProgramFullPath Py_GetProgramName Py_GetPythonHome
        Py_NewInterpreter Py_SetPath Py_UniversalNewlineFgets Py_fopen _PyAST_Compile _PyArena_Malloc
        _PyArena_New _PyArg_UnpackKeywords _PyBytesWriter_Alloc _PyBytesWriter_Finish _PyBytesWriter_Prepare
        _PyBytesWriter_Resize _PyBytesWriter_WriteBytes _PyBytes_DecodeEscape2 _PyBytes_FromData
        _PyBytes_FromXIData _PyBytes_GetXIDataWrapped _PyCode_ConstantKey _PyCode_FromXIData
        _PyCompile_Assemble _PyCompile_CleanDoc _PyCompile_CodeGen _PyCompile_GetBinaryIntrinsicName
        _PyCompile_GetUnaryIntrinsicName _PyCompile_OptimizeCfg _PyConfig_AsDict _PyContext_NewHamtForTests
        _PyCoro_GetAwaitableIter _PyDict_FromItems _PyDict_LoadGlobal _PyErr_Format _PyErr_FormatV
        _PyErr_GetRaisedException _PyErr_ProgramDecodedTextObject _PyEvalFramePushAndInit
        _PyEval_EvalFrameDefault _PyEval_GetANext _PyEval_GetAwaitable _PyEval_GetBuiltin _PyEval_ImportFrom
        _PyEval_ImportName _PyEval_LoadName _PyEval_MatchClass _PyEval_MatchKeys _PyFunction_FromXIData
        _PyGen_yf _PyInstructionSequence_New _PyInterpolation_Build _PyInterpreterConfig_AsDict
        _PyInterpreterState_GetEvalFrameFunc _PyInterpreterState_GetIDObject _PyInterpreterState_LookUpID
        _PyInterpreterState_LookUpIDObject _PyInterpreterState_Main _PyList_AsTupleAndClear
        _PyList_FromStackRefStealOnSuccess _PyList_SliceSubscript _PyLong_Add _PyLong_DivmodNear _PyLong_Format
        _PyLong_Frexp _PyLong_FromDigits _PyLong_FromGid _PyLong_FromTime_t _PyLong_GCD _PyLong_Lshift
        _PyLong_Multiply _PyLong_New _PyLong_Rshift _PyLong_Subtract _PyMarshal_ReadObjectFromXIData
        _PyMem_GetCurrentAllocatorName _PyNamespace_New _PyObjectArray_FromStackRefArray _PyObject_AssertFailed
        _PyObject_CallMethod _PyObject_CallMethodId _PyObject_FunctionStr _PyObject_GenericGetAttrWithDict
        _PyObject_GetState _PyObject_LookupSpecial _PyObject_MakeTpCall
        _PyObject_MaybeCallSpecialNoArgs _PyObject_MaybeCallSpecialOneArg _PyPickle_LoadFromXIData
        _PySlice_FromIndices _PyStack_AsDict _PyStaticType_GetBuiltins _PyStructSequence_NewType
        _PySuper_Lookup _PySys_GetRequiredAttr _PySys_GetRequiredAttrString _PyTemplate_Build
        _PyThreadState_GetCurrent _PyThreadState_GetDict _PyThreadState_Init _PyThreadState_New
        _PyThreadState_NewBound _PyThreadState_Prealloc _PyThread_CurrentFrames _PyTime_AsLong
        _PyTraceMalloc_GetTraceback _PyTuple_FromArray _PyTuple_FromArraySteal
        _PyTuple_FromStackRefStealOnSuccess _PyType_AllocNoTrack _PyType_GetDict _PyType_GetSlotWrapperNames
        _PyType_NewManagedObject _PyUnicodeWriter_Finish _PyUnicode_AsUTF8NoNUL _PyUnicode_Copy
        _PyUnicode_DecodeUnicodeEscapeInternal2 _PyUnicode_EncodeUTF16 _PyUnicode_EncodeUTF32
        _PyUnicode_TransformDecimalAndSpaceToASCII _PyWarnings_Init _PyXIData_GetNotShareableErrorType
        _PyXIData_Lookup _PyXIData_New _PyXIData_NewObject _PyXI_ExcInfoAsObject _PyXI_FormatExcInfo
        _PyXI_GetMainNamespace _PyXI_GetPreserved _PyXI_NewExcInfo _PyXI_NewFailure _PyXI_NewInterpreter
        _PyXI_NewSession _Py_FatalRefcountErrorFunc _Py_GetBuiltWithAssert _Py_GetConfig _Py_GetConfigsAsDict
        _Py_GetExecutor _Py_Get_Getpath_CodeObject _Py_Gid_Converter _Py_MakeCoro _Py_SetLocaleFromEnv
        _Py_Uid_Converter _Py_UniversalNewlineFgetsWithSize _Py_hashtable_get _Py_hashtable_new
        _Py_hashtable_new_full _Py_hashtable_steal _Py_normpath _Py_strerror _Py_strhex
        _Py_strhex_bytes_with_sep _Py_union_type_or _Py_uop_symbols_test
    }
    numbers {
        PyMonitoring_EnterScope PyMonitoring_ExitScope _PyUnicode_ToDigit
        PyCode_AddWatcher PyCode_Addr2Location PyCode_ClearWatcher PyCompile_OpcodeStackEffect
        PyCompile_OpcodeStackEffectWithJump PyConfig_GetInt PyConfig_Set PyContext_AddWatcher
        PyContext_ClearWatcher PyEvent_WaitTimed PyFile_SetOpenCodeHook PyFrame_FastToLocalsWithError
        PyFunction_AddWatcher PyFunction_ClearWatcher PyFunction_SetClosure PyImport_AppendInittab
        PyImport_ExtendInittab PyImport_ImportFrozenModule PyImport_ImportFrozenModuleObject
        PyInitConfig_AddModule PyInitConfig_GetError PyInitConfig_GetExitCode PyInitConfig_GetInt
        PyInitConfig_GetStr PyInitConfig_GetStrList PyInitConfig_HasOption PyInitConfig_SetInt
        PyInitConfig_SetStr PyInitConfig_SetStrList PyMarshal_ReadLongFromFile PyMarshal_ReadShortFromFile
        PyODict_DelItem PyODict_SetItem PyRefTracer_SetTracer PyRun_AnyFile
        PyRun_AnyFileEx PyRun_AnyFileExFlags PyRun_AnyFileFlags PyRun_InteractiveLoop
        PyRun_InteractiveLoopFlags PyRun_InteractiveOne PyRun_InteractiveOneFlags PyRun_InteractiveOneObject
        PyRun_SimpleFile PyRun_SimpleFileEx PyRun_SimpleFileExFlags PySignal_SetWakeupFd PyStatus_Exception
        PyStatus_IsError PyStatus_IsExit PySys_AddAuditHook PyThread_ParseTimeoutArg PyThread_detach_thread
        PyThread_join_thread PyThread_set_stacksize PyThread_start_joinable_thread
        PyType_AddWatcher PyType_ClearWatcher PyType_Unwatch PyType_Watch
        PyUnstable_AtExit
        PyUnstable_CopyPerfMapFile PyUnstable_InterpreterFrame_GetLasti
        PyUnstable_InterpreterFrame_GetLine PyUnstable_PerfMapState_Init PyUnstable_PerfTrampoline_CompileCode
        PyUnstable_PerfTrampoline_SetPersistAfterFork PyUnstable_ThreadState_SetStackProtection
        PyUnstable_WritePerfMapEntry Py_BytesMain Py_FdIsInteractive Py_FinalizeEx Py_FrozenMain
        Py_InitializeFromInitConfig Py_Main Py_RunMain Py_fclose _PyArena_AddPyObject
        _PyArg_CheckPositional _PyArg_NoKeywords _PyArg_NoPositional _PyArg_ParseStack
        _PyArg_ParseStackAndKeywords _PyArg_ParseTupleAndKeywordsFast _PyBuffer_ReleaseInInterpreter
        _PyBuffer_ReleaseInInterpreterAndRawFree _PyBytes_Find _PyBytes_GetData _PyBytes_GetXIData
        _PyBytes_ReverseFind _PyCapsule_SetTraverse _PyCode_CheckLineNumber _PyCode_CheckNoExternalState
        _PyCode_CheckNoInternalState _PyCode_CheckPureFunction _PyCode_GetPureScriptXIData
        _PyCode_GetScriptXIData _PyCode_GetXIData _PyCode_ReturnsOnlyNone _PyCode_SetUnboundVarCounts
        _PyCode_VerifyStateless _PyConfig_FromDict _PyDeadline_Get _PyDeadline_Init _PyDict_DelItemIf
        _PyDict_DelItem_KnownHash _PyDict_GetItemRef_KnownHash_LockHeld _PyDict_SetItem_Take2 _PyDict_SizeOf
        _PyDumpExecutors _PyErr_ExceptionMatches _PyEval_CheckExceptStarTypeValid _PyEval_CheckExceptTypeValid
        _PyEval_ExceptionGroupMatch _PyEval_MakePendingCalls _PyEval_SetProfile _PyEval_SpecialMethodCanSuggest
        _PyEval_UnpackIterableStackRef _PyEvent_IsSet _PyFrame_IsEntryFrame _PyFunction_GetXIData
        _PyFunction_VerifyStateless _PyGen_SetStopIterationValue _PyImport_ClearExtension _PyImport_SetModule
        _PyInterpreterConfig_InitFromDict _PyInterpreterConfig_InitFromState
        _PyInterpreterConfig_UpdateFromDict _PyInterpreterState_GetWhence _PyInterpreterState_IsReady
        _PyInterpreterState_IsRunningMain _PyInterpreterState_ObjectToID _PyInterpreterState_RequiresIDRef
        _PyInterpreterState_SetRunningMain _PyList_AppendTakeRefListResize _PyLong_AsTime_t
        _PyLong_FileDescriptor_Converter _PyLong_Size_t_Converter _PyLong_UInt16_Converter
        _PyLong_UInt32_Converter _PyLong_UInt64_Converter _PyLong_UInt8_Converter _PyLong_UnsignedInt_Converter
        _PyLong_UnsignedLongLong_Converter _PyLong_UnsignedLong_Converter _PyLong_UnsignedShort_Converter
        _PyMarshal_GetXIData _PyMonitoring_FireBranchEvent _PyMonitoring_FireBranchLeftEvent
        _PyMonitoring_FireBranchRightEvent _PyMonitoring_FireCRaiseEvent _PyMonitoring_FireCReturnEvent
        _PyMonitoring_FireCallEvent _PyMonitoring_FireExceptionHandledEvent _PyMonitoring_FireJumpEvent
        _PyMonitoring_FireLineEvent _PyMonitoring_FirePyResumeEvent _PyMonitoring_FirePyReturnEvent
        _PyMonitoring_FirePyStartEvent _PyMonitoring_FirePyThrowEvent _PyMonitoring_FirePyUnwindEvent
        _PyMonitoring_FirePyYieldEvent _PyMonitoring_FireRaiseEvent _PyMonitoring_FireReraiseEvent
        _PyMonitoring_FireStopIterationEvent _PyOS_IsMainThread _PyOS_URandomNonblock _PyObject_CheckXIData
        _PyObject_DebugMallocStats _PyObject_GenericSetAttrWithDict _PyObject_GetXIData
        _PyObject_GetXIDataNoFallback _PyObject_IsFreed _PyObject_LookupSpecialMethod _PyObject_SetManagedDict
        _PyOnceFlag_CallOnceSlow _PyOptimizer_Optimize _PyParkingLot_Park _PyPickle_GetXIData
        _PyRecursiveMutex_IsLockedByCurrentThread _PySemaphore_Wait _PySeqLock_AfterFork _PySeqLock_EndRead
        _PySet_AddTakeRef _PySet_Contains _PySet_NextEntryRef _PySlice_GetLongIndices _PyState_AddModule
        _PyStaticType_InitForExtension _PySys_GetOptionalAttr _PySys_GetOptionalAttrString
        _PyTime_AsMicroseconds _PyTime_AsMilliseconds _PyTime_AsTimespec _PyTime_AsTimeval
        _PyTime_AsTimevalTime_t _PyTime_FromLong _PyTime_FromMillisecondsObject _PyTime_FromSeconds
        _PyTime_FromSecondsObject _PyTime_MonotonicWithInfo _PyTime_ObjectToTime_t _PyTime_ObjectToTimespec
        _PyTime_ObjectToTimeval _PyTime_gmtime _PyTime_localtime _PyToken_OneChar _PyToken_ThreeChars
        _PyToken_TwoChars _PyType_GetBaseByToken_Borrow _PyUnicodeWriter_PrepareInternal
        _PyUnicodeWriter_PrepareKindInternal _PyUnicodeWriter_WriteASCIIString _PyUnicodeWriter_WriteChar
        _PyUnicodeWriter_WriteLatin1String _PyUnicodeWriter_WriteStr _PyUnicodeWriter_WriteSubstring
        _PyUnicode_CheckConsistency _PyUnicode_ScanIdentifier _PyWeakref_IsDead _PyXIData_InitWithSize
        _PyXIData_RegisterClass _PyXIData_Release _PyXIData_ReleaseAndRawFree _PyXIData_UnregisterClass
        _PyXI_Enter _PyXI_Exit _PyXI_InitFailure _PyXI_Preserve _PyXI_UnwrapNotShareableError
        _Py_CheckRecursiveCall _Py_Check_ArgsIterable _Py_DecodeLocaleEx _Py_DisplaySourceLine
        _Py_EncodeLocaleEx _Py_HandlePending _Py_IsInterpreterFinalizing _Py_IsValidFD
        _Py_ReachedRecursionLimitWithMargin _Py_UTF8_Edit_Cost _Py_convert_optional_to_ssize_t _Py_dup
        _Py_fstat _Py_fstat_noraise _Py_hashtable_compare_direct _Py_hashtable_foreach _Py_hashtable_set
        _Py_open _Py_open_noraise _Py_set_inheritable _Py_set_inheritable_async_safe _Py_stat _Py_write
        _Py_write_noraise
    }
    counts {
        PyThread_acquire_lock_timed_with_retries PyThread_get_stacksize PyThread_get_thread_ident_ex
        Py_PACK_FULL_VERSION Py_PACK_VERSION _PyEval_AddPendingCall _PyEval_NoToolsForUnwind _PyMutex_LockTimed
        _PySeqLock_BeginRead _PySys_GetSizeOf _PyUnicode_ToTitlecase _PyXI_GetFailureCode _Py_GetErrorHandler
        _Py_hashtable_hash_ptr _Py_hashtable_len _Py_hashtable_size
    }
    nothing {
        PyOS_AfterFork_Child PyOS_AfterFork_Parent PyOS_BeforeFork PyOS_AfterFork
        PyConfig_Clear PyConfig_InitIsolatedConfig PyConfig_InitPythonConfig PyCriticalSection2_BeginMutex
        PyCriticalSection_BeginMutex PyErr_RangedSyntaxLocationObject PyEval_SetProfileAllThreads
        PyEval_SetTraceAllThreads PyEvent_Wait PyFrame_FastToLocals PyFrame_LocalsToFast PyInitConfig_Free
        PyInitConfig_FreeStrList PyInterpreterState_Clear PyInterpreterState_Delete PyMarshal_WriteLongToFile
        PyMarshal_WriteObjectToFile PyMem_GetAllocator PyMem_SetAllocator PyMem_SetupDebugHooks
        PyObject_SetArenaAllocator PyPreConfig_InitIsolatedConfig PyPreConfig_InitPythonConfig
        PySys_ResetWarnOptions PySys_SetArgv PySys_SetArgvEx PyThread_ReInitTLS PyThread_delete_key_value
        PyUnstable_PerfMapState_Fini PyUnstable_ThreadState_ResetStackProtection Py_EndInterpreter Py_Finalize
        Py_GetArgcArgv Py_Initialize Py_InitializeEx Py_SetProgramName Py_SetPythonHome
        _PyArena_Free _PyArg_BadArgument _PyBytesWriter_Dealloc _PyBytesWriter_Init _PyBytes_Repeat
        _PyCode_GetVarCounts _PyConfig_InitCompatConfig _PyCriticalSection2_BeginSlow
        _PyCriticalSection_BeginSlow _PyCriticalSection_Resume _PyCriticalSection_SuspendAll
        _PyDict_LoadGlobalStackRef _PyDict_SendEvent _PyErr_Clear _PyErr_FormatNote _PyErr_SetFromPyStatus
        _PyErr_SetInterpreterAlreadyRunning _PyErr_SetLocaleString _PyErr_SetRaisedException _PyErr_SetString
        _PyEval_FormatAwaitableError _PyEval_FormatExcCheckArg _PyEval_FormatExcUnbound
        _PyEval_FormatKwargsError _PyEval_FrameClearAndPop _PyEval_LoadGlobalStackRef _PyEval_MonitorRaise
        _PyEval_StartTheWorld _PyEval_StopTheWorld _PyEvent_Notify _PyFloat_ExactDealloc _PyFunction_SetVersion
        _PyInterpreterState_IDDecref _PyInterpreterState_IDIncref _PyInterpreterState_RequireIDRef
        _PyInterpreterState_SetEvalFrameFunc _PyInterpreterState_SetNotRunningMain _PyLong_ExactDealloc
        _PyObjectArray_Free _PyObject_Dump _PyParkingLot_AfterFork _PyParkingLot_Unpark _PyParkingLot_UnparkAll
        _PyPathConfig_ClearGlobal _PyPreConfig_InitCompatConfig _PyRWMutex_Lock _PyRWMutex_RLock
        _PyRWMutex_RUnlock _PyRWMutex_Unlock _PyRecursiveMutex_Lock _PyRecursiveMutex_Unlock
        _PySemaphore_Destroy _PySemaphore_Init _PySemaphore_Wakeup _PySeqLock_AbandonWrite _PySeqLock_LockWrite
        _PySeqLock_UnlockWrite _PyThreadState_PopFrame _PyTime_AsTimespec_clamp _PyTime_AsTimeval_clamp
        _PyTraceback_Add _PyTrash_thread_deposit_object _PyTrash_thread_destroy_chain _PyType_SetVersion
        _PyUnicodeWriter_Dealloc _PyUnicodeWriter_Init _PyUnicode_ExactDealloc _PyUnicode_InternImmortal
        _PyUnicode_InternInPlace _PyUnicode_InternMortal _PyWeakref_ClearRef _PyXIData_Clear
        _PyXIData_FormatNotShareableError _PyXIData_Free _PyXIData_Init _PyXIData_SetNotShareableError
        _PyXI_ClearResult _PyXI_EndInterpreter _PyXI_FreeExcInfo _PyXI_FreeFailure _PyXI_FreeSession
        _PyXI_InitFailureUTF8 _Py_BreakPoint _Py_DumpStack _Py_Executor_DependsOn _Py_Executors_InvalidateAll
        _Py_Executors_InvalidateCold _Py_Executors_InvalidateDependency _Py_ForgetReference _Py_InitDumpStack
        _Py_InitializeRecursionLimits _Py_RestoreSignals _Py_SetImmortalUntracked _Py_closerange
        _Py_hashtable_clear _Py_hashtable_destroy
    }
    statuses {
        PyConfig_Read PyConfig_SetArgv PyConfig_SetBytesArgv PyConfig_SetBytesString PyConfig_SetString
        PyConfig_SetWideStringList PyStatus_Error PyStatus_Exit PyStatus_NoMemory PyStatus_Ok
        PyWideStringList_Append PyWideStringList_Insert Py_InitializeFromConfig Py_NewInterpreterFromConfig
        Py_PreInitialize Py_PreInitializeFromArgs Py_PreInitializeFromBytesArgs _PyInterpreterState_New
    }
}
